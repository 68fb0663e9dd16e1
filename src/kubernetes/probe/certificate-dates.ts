import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, rootCertificates, type TLSSocket } from 'node:tls';

/** How the dates of a certificate are wrong, and a sentence about it for people. */
export interface WrongDates {
  readonly code: 'certificate-expired' | 'certificate-not-yet-valid';
  readonly detail: string;
}

/** Maximum length of a chain of certificates. */
const MAX_CHAIN = 8;
const SERVER_AUTH = new Set(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']);

/**
 * Returns what is wrong with the dates of the certificate of a server, if nothing else is wrong with it: the server
 * has the right key, for the right name, from a trusted authority. OpenSSL reports only the last problem that it
 * finds, so an expired certificate of a stranger looks the same to it.
 * @param socket a socket after its handshake, which has proven that the server has the key of the certificate.
 * @param ca trusted certificates in PEM; `undefined` for the root certificates of the system.
 * @param now an instant in ms.
 */
export function wrongDates(
  socket: TLSSocket,
  serverName: string,
  ca: string | undefined,
  now: number,
): WrongDates | undefined {
  try {
    return datesOf(socket, serverName, ca, now);
  } catch {
    // A key or an encoding that Node.js does not support.
    return undefined;
  }
}

function datesOf(
  socket: TLSSocket,
  serverName: string,
  ca: string | undefined,
  now: number,
): WrongDates | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined || checkServerIdentity(serverName, leaf.toLegacyObject()) !== undefined)
    return undefined;
  const { keyUsage } = leaf;
  if (keyUsage !== undefined && !keyUsage.some((usage) => SERVER_AUTH.has(usage))) return undefined;
  const chain = chainOf(leaf, sentWith(leaf), trustedIn(ca));
  const expired = chain?.find(({ validToDate }) => validToDate.getTime() < now);
  if (expired !== undefined)
    return {
      code: 'certificate-expired',
      detail: `${ownerOf(expired, leaf)} expired at ${expired.validToDate.toISOString()}; nothing was sent`,
    };
  const early = chain?.find(({ validFromDate }) => validFromDate.getTime() > now);
  if (early === undefined) return undefined;
  return {
    code: 'certificate-not-yet-valid',
    detail: `${ownerOf(early, leaf)} is valid from ${early.validFromDate.toISOString()} on; nothing was sent`,
  };
}

function ownerOf(certificate: X509Certificate, leaf: X509Certificate): string {
  return certificate === leaf ? 'the certificate of the server' : 'a certificate of its authority';
}

/** Returns the certificates from the leaf to a trusted one, or `undefined` if none of them leads there. */
function chainOf(
  certificate: X509Certificate,
  sent: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  length = 1,
): readonly X509Certificate[] | undefined {
  if (trusted.some(({ raw }) => raw.equals(certificate.raw))) return [certificate];
  if (length === MAX_CHAIN) return undefined;
  for (const issuer of [...trusted, ...sent]) {
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) continue;
    const rest = chainOf(
      issuer,
      sent.filter((each) => each !== issuer),
      trusted,
      length + 1,
    );
    if (rest !== undefined) return [certificate, ...rest];
  }
  return undefined;
}

/** Returns the certificates that the server sent besides its own. */
function sentWith(leaf: X509Certificate): readonly X509Certificate[] {
  const sent: X509Certificate[] = [];
  let next = leaf.issuerCertificate;
  while (next !== undefined && sent.length < MAX_CHAIN) {
    sent.push(next);
    // A self-signed certificate can be its own issuer.
    next = next.issuerCertificate?.raw.equals(next.raw) === true ? undefined : next.issuerCertificate;
  }
  return sent;
}

function trustedIn(ca: string | undefined): readonly X509Certificate[] {
  const bundle =
    ca === undefined
      ? rootCertificates
      : (ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
  return bundle.map((pem) => new X509Certificate(pem));
}
