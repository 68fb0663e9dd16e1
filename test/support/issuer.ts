import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

/** A key of the issuer: its algorithm and its id. */
export interface IssuerKey {
  readonly alg: string;
  readonly kid: string;
  readonly pair: Pair;
}

/** An OpenID Connect issuer: a discovery document, a key set, and tokens that it signs. */
export class Issuer {
  readonly keys: readonly IssuerKey[];
  readonly #server = createServer();
  /** Number of requests for the key set. */
  fetches = 0;

  constructor(keys: readonly IssuerKey[]) {
    this.keys = keys;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The discovery document. */
  protected get discovery(): object {
    return { issuer: this.url, jwks_uri: `${this.url}/jwks` };
  }

  /** Answers a request for anything but the discovery document and the key set; returns whether it did. */
  protected answer(_: IncomingMessage, __: ServerResponse): boolean {
    return false;
  }

  async listen(): Promise<void> {
    const jwks = await Promise.all(
      this.keys.map(async ({ alg, kid, pair }) => ({
        ...(await exportJWK(pair.publicKey)),
        alg,
        kid,
        use: 'sig',
      })),
    );
    this.#server.on('request', (request, response) => {
      const isDiscovery = request.url === '/.well-known/openid-configuration';
      if (!isDiscovery && this.answer(request, response)) return;
      if (!isDiscovery) this.fetches++;
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(isDiscovery ? this.discovery : { keys: jwks }));
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Signs a token with its first key, or another one. */
  sign(payload: JWTPayload, header: Partial<JWTHeaderParameters> = {}, by = this.keys[0]): Promise<string> {
    const { alg, kid, pair } = by as IssuerKey;
    return new SignJWT(payload)
      .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header })
      .sign(pair.privateKey);
  }
}

export async function issuerKey(alg: string, kid: string): Promise<IssuerKey> {
  return { alg, kid, pair: await generateKeyPair(alg, { extractable: true }) };
}

/** Starts an issuer for the test that is running. */
export async function issuerForTest(): Promise<Issuer> {
  const keys = await Promise.all([
    issuerKey('RS256', 'rsa'),
    issuerKey('ES256', 'ec'),
    issuerKey('EdDSA', 'ed'),
  ]);
  const issuer = new Issuer(keys);
  await issuer.listen();
  onTestFinished(() => issuer.close());
  return issuer;
}
