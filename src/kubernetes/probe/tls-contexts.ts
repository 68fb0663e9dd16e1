import { hash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { CredentialRefused } from '../credentials/credential-source.ts';
import type { Endpoint } from '../credentials/endpoint.ts';

const MOST = 512;

/**
 * TLS settings by authority: to parse one for every probe costs a quarter of its time. What holds a client's key is made
 * for one probe and not kept.
 */
export class SecureContexts {
  readonly #kept = new Map<string, SecureContext>();

  get size(): number {
    return this.#kept.size;
  }

  /** @throws CredentialRefused where OpenSSL does not take the certificates. */
  of(endpoint: Endpoint): SecureContext {
    const client = endpoint.revealClient();
    if (client !== undefined) return make(endpoint.ca, client);
    const key = endpoint.ca === undefined ? '' : hash('sha256', endpoint.ca);
    const kept = this.#kept.get(key) ?? make(endpoint.ca, undefined);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }
}

function make(ca: string | undefined, client: ReturnType<Endpoint['revealClient']>): SecureContext {
  try {
    return createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(client !== undefined && { cert: client.cert, key: client.key }),
      minVersion: 'TLSv1.2',
      // As other clients of Kubernetes do: whatever the bundle holds is trusted, a root or not.
      allowPartialTrustChain: true,
    });
  } catch {
    throw new CredentialRefused('certificate', 'cannot be used for TLS');
  }
}
