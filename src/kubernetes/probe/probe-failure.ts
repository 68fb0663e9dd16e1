import type { VerdictCode, VerdictState } from '../../domain/validation/judging/verdict.ts';

/** A probe that ended without a usable answer. The message is for people and contains no part of a credential. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  readonly state: VerdictState;
  readonly code: VerdictCode;

  constructor(state: VerdictState, code: VerdictCode, detail: string) {
    super(detail);
    this.state = state;
    this.code = code;
  }
}

/** Returns the failure for a probe that reached its deadline. */
export function probeTimeout(): ProbeFailure {
  return new ProbeFailure('unknown', 'timeout', 'no answer within the deadline');
}

/** Errors of this machine, such as a lack of sockets, ports or memory. They say nothing about the cluster. */
const LOCAL_ERRORS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE', 'EINVAL']);

/**
 * Classifies an error of a TCP connection. @param hasRoute whether this machine has a network of the address
 * family.
 */
export function connectFailure(error: unknown, address: string, hasRoute: boolean): ProbeFailure {
  const code = codeOf(error);
  const failure = (state: VerdictState, verdict: VerdictCode) =>
    new ProbeFailure(state, verdict, `connecting to ${address}: ${code}`);
  switch (code) {
    case 'ECONNREFUSED':
      return failure('unreachable', 'refused');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return hasRoute ? failure('unreachable', 'no-route') : failure('unverifiable', 'network-down');
    case 'EADDRNOTAVAIL':
      // This machine has no free port, or no source address.
      return failure('unverifiable', hasRoute ? 'prober-failed' : 'network-down');
    case 'ENETDOWN':
    case 'EPERM':
    case 'EACCES':
      return failure('unverifiable', 'network-down');
    case 'ETIMEDOUT':
      return failure('unknown', 'timeout');
    default:
      return LOCAL_ERRORS.has(code) ? failure('unverifiable', 'prober-failed') : failure('unknown', 'reset');
  }
}

const OTHER_CA = 'the certificate is not from the configured CA';
const CERTIFICATE_PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'the certificate has expired, and is not from the configured CA or is for a different name',
  CERT_NOT_YET_VALID:
    'the certificate is not valid yet, and is not from the configured CA or is for a different name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for a different name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not from the configured CA',
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_CA,
  UNABLE_TO_GET_ISSUER_CERT: OTHER_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_CA,
  CERT_SIGNATURE_FAILURE: OTHER_CA,
};

/**
 * Returns the failure for a certificate that does not identify the expected server.
 * @param hasCa whether the credential has a CA; if not, those of the system were trusted.
 */
export function certificateFailure(problem: unknown, hasCa: boolean): ProbeFailure {
  const code = codeOf(problem);
  const known = CERTIFICATE_PROBLEMS[code] ?? 'the certificate is not valid';
  const why =
    known === OTHER_CA && !hasCa
      ? 'the certificate is not from a CA of the system; add its CA to the credential'
      : known;
  return new ProbeFailure('unreachable', 'tls-mismatch', `${why} (${code})`);
}

/** TLS alerts by which a server says that it does not accept the client certificate, or that it wants one. */
const WANTS_CERTIFICATE =
  /ALERT_(?:NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:REQUIRED|EXPIRED|REVOKED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED)$/;
const CERTIFICATE_WANTED =
  'the server wants a client certificate, or does not accept the one of the credential';

/**
 * Classifies an error of a TLS handshake other than a certificate problem.
 * @param isIdentified whether the server had sent its certificate: a failure after that is about the client.
 */
export function handshakeFailure(error: unknown, isIdentified = false): ProbeFailure {
  const code = codeOf(error);
  if (WANTS_CERTIFICATE.test(code) || (isIdentified && code.endsWith('ALERT_HANDSHAKE_FAILURE')))
    return new ProbeFailure('unknown', 'front', CERTIFICATE_WANTED);
  if (isReset(code))
    return new ProbeFailure('unknown', 'reset', 'the connection was closed during the TLS handshake');
  return new ProbeFailure('unknown', 'tls-handshake', `the TLS handshake failed (${code})`);
}

/**
 * Classifies an error of an HTTP exchange.
 * @param isVouchedFor whether the configured CA has identified the server.
 */
export function exchangeFailure(error: unknown, isVouchedFor: boolean): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const code = codeOf(error);
  // Under TLS 1.3 a server checks the client certificate after the handshake.
  if (isVouchedFor && WANTS_CERTIFICATE.test(code))
    return new ProbeFailure('alive', 'front', CERTIFICATE_WANTED);
  if (isReset(code))
    return new ProbeFailure('unknown', 'reset', 'the connection was closed before the response');
  if (code.startsWith('ERR_SSL')) return handshakeFailure(error);
  return new ProbeFailure('unknown', 'bad-answer', `the response is not valid HTTP (${code})`);
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

/** Returns the code of an error, which comes from Node.js or the system and never from the server. */
export function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  const text = typeof error === 'string' ? error : code;
  return typeof text === 'string' && /^[A-Z0-9_/]{1,64}$/.test(text) ? text : 'unknown error';
}
