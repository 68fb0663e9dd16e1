import type { VerdictState } from '../../domain/validation/judging/verdict.ts';

/** A probe that came to an end before an answer did. The message is for people and holds nothing of a credential. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  readonly state: VerdictState;
  readonly code: string;

  constructor(state: VerdictState, code: string, detail: string) {
    super(detail);
    this.state = state;
    this.code = code;
  }
}

/** The one deadline of a probe has come. */
export function probeTimeout(): ProbeFailure {
  return new ProbeFailure('unknown', 'timeout', 'no answer within the deadline');
}

/** What our own side lacked: sockets, ports, memory. It says nothing about the cluster. */
const LOCAL_ERRORS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE', 'EINVAL']);

/** What an error of a TCP connection means. @param hasRoute whether this machine has any network of the address's family. */
export function connectFailure(error: unknown, address: string, hasRoute: boolean): ProbeFailure {
  const code = codeOf(error);
  const tells = (state: VerdictState, verdict: string) =>
    new ProbeFailure(state, verdict, `connecting to ${address}: ${code}`);
  switch (code) {
    case 'ECONNREFUSED':
      return tells('unreachable', 'refused');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return hasRoute ? tells('unreachable', 'no-route') : tells('unknown', 'network-down');
    case 'EADDRNOTAVAIL':
      // No port of ours is left, or no address to come from.
      return tells('unknown', hasRoute ? 'prober-failed' : 'network-down');
    case 'ENETDOWN':
    case 'EPERM':
    case 'EACCES':
      return tells('unknown', 'network-down');
    case 'ETIMEDOUT':
      return tells('unknown', 'timeout');
    default:
      return LOCAL_ERRORS.has(code) ? tells('unknown', 'prober-failed') : tells('unknown', 'reset');
  }
}

const CERTIFICATE_PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is not of the configured authority, but signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is not of the configured authority',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate is not of the configured authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is not of the configured authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is not of the configured authority',
  CERT_SIGNATURE_FAILURE: 'the certificate is not of the configured authority',
};

/** The other side showed a certificate that does not prove it is the one we look for. */
export function certificateFailure(problem: unknown): ProbeFailure {
  const code = codeOf(problem);
  return new ProbeFailure(
    'unreachable',
    'tls-mismatch',
    `${CERTIFICATE_PROBLEMS[code] ?? 'the certificate'} (${code})`,
  );
}

/** What an error of a TLS handshake, other than about the certificate, means. */
export function handshakeFailure(error: unknown): ProbeFailure {
  const code = codeOf(error);
  if (isReset(code))
    return new ProbeFailure('unknown', 'reset', 'the connection was ended during the TLS handshake');
  return new ProbeFailure('unknown', 'tls-handshake', `no TLS connection came about (${code})`);
}

/** What an error of an HTTP exchange means. */
export function exchangeFailure(error: unknown): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const code = codeOf(error);
  if (isReset(code))
    return new ProbeFailure('unknown', 'reset', 'the connection was ended before the answer');
  if (code.startsWith('ERR_SSL')) return handshakeFailure(error);
  return new ProbeFailure('unknown', 'bad-answer', `the answer is no HTTP that can be read (${code})`);
}

function isReset(code: string): boolean {
  return [
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'UND_ERR_SOCKET',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
  ].includes(code);
}

/** The code of an error, which is a word of ours or of the system's, never a text of the other side. */
export function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (typeof error === 'string' && /^[A-Z0-9_]{1,64}$/.test(error)) return error;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'unknown error';
}
