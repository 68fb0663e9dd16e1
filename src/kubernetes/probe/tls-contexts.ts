import { hash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { BoundedMap } from '../../util/bounded-map.ts';
import { CredentialRefused } from '../credentials/credential-source.ts';
import type { Endpoint } from '../credentials/endpoint.ts';

const MAX_CONTEXTS = 512;

/**
 * TLS contexts by CA: parsing a CA for every probe would take a quarter of its time. A context with a client key is
 * created for one probe and not cached.
 */
export class SecureContexts {
  readonly #byAuthority = new BoundedMap<string, SecureContext>(MAX_CONTEXTS);

  get size(): number {
    return this.#byAuthority.size;
  }

  /** @throws CredentialRefused if OpenSSL rejects the certificates. */
  of(endpoint: Endpoint): SecureContext {
    const client = endpoint.revealClient();
    if (client !== undefined) return make(endpoint.ca, client);
    const key = endpoint.ca === undefined ? '' : hash('sha256', endpoint.ca);
    const kept = this.#byAuthority.get(key) ?? make(endpoint.ca, undefined);
    this.#byAuthority.setNewest(key, kept);
    return kept;
  }
}

function make(ca: string | undefined, client: ReturnType<Endpoint['revealClient']>): SecureContext {
  try {
    return createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(client !== undefined && { cert: client.cert, key: client.key }),
      minVersion: 'TLSv1.2',
      // As in other Kubernetes clients, every certificate of the bundle is trusted, even if it is not a root.
      allowPartialTrustChain: true,
    });
  } catch {
    throw new CredentialRefused('certificate', 'cannot be used for TLS');
  }
}
