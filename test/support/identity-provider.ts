import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { JWTPayload } from 'jose';
import { onTestFinished } from 'vitest';
import { Issuer, issuerKey } from './issuer.ts';

/** The client that the ledger is at the identity provider. */
export const CLIENT = { id: 'ledger-console', secret: 'the secret: of / the+client' };
const AUDIENCE = 'cluster-ledger';

/** An identity provider where one person signs in: authorization code with PKCE, as OpenID Connect Core 1.0 has it. */
export class IdentityProvider extends Issuer {
  /** Claims of both tokens of the next sign-ins. */
  claims: JWTPayload = { roles: ['auditor'] };
  /** Further claims of the ID token, such as wrong ones. */
  idClaims: JWTPayload = {};
  /** Claims of the access token, instead of `claims`. */
  accessClaims: JWTPayload = {};
  /** Changes the query that leads back to the ledger. */
  alterResponse: (query: URLSearchParams) => void = () => {};
  /** Key that signs the ID token, if it is not the first one. */
  idKey = this.keys[0];
  readonly #codes = new Map<string, URLSearchParams>();
  readonly #now: () => number;

  /** @param now the clock of the ledger, in milliseconds since the epoch. */
  constructor(keys: Issuer['keys'], now: () => number) {
    super(keys);
    this.#now = now;
  }

  /** Settings of a ledger that trusts this identity provider. */
  get settings(): Readonly<Record<string, string>> {
    return {
      LEDGER_OIDC_ISSUER: this.url,
      LEDGER_OIDC_AUDIENCE: AUDIENCE,
      LEDGER_OIDC_CLIENT_ID: CLIENT.id,
      LEDGER_OIDC_CLIENT_SECRET: CLIENT.secret,
    };
  }

  protected override get discovery(): object {
    return {
      ...super.discovery,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    };
  }

  protected override answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    if (pathname === '/authorize') this.#authorize(searchParams, response);
    else if (pathname === '/token') void this.#token(request, response);
    else return false;
    return true;
  }

  /** Shows the page on which the person signs in. */
  #authorize(query: URLSearchParams, response: ServerResponse): void {
    const isValid =
      query.get('client_id') === CLIENT.id &&
      query.get('response_type') === 'code' &&
      query.get('code_challenge_method') === 'S256' &&
      query.get('scope')?.split(' ').includes('openid');
    if (!isValid) {
      response.writeHead(400).end('the authorization request is not valid');
      return;
    }
    const link = this.responseTo(query).replaceAll('&', '&amp;');
    response
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><title>Identity provider</title><a href="${link}">Sign in as Ada</a>`);
  }

  /** Returns the address that the person is led back to. */
  responseTo(query: URLSearchParams): string {
    const code = randomUUID();
    this.#codes.set(code, query);
    const answer = new URLSearchParams({ code, state: query.get('state') ?? '', iss: this.url });
    this.alterResponse(answer);
    return `${query.get('redirect_uri')}?${answer}`;
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const [, basic = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    // Both parts are encoded as in a form (RFC 6749, section 2.3.1).
    const [id, secret] = atob(basic)
      .split(':')
      .map((part) => new URLSearchParams(`part=${part}`).get('part'));
    if (id !== CLIENT.id || secret !== CLIENT.secret) return void send(401, { error: 'invalid_client' });
    const code = form.get('code') ?? '';
    const asked = this.#codes.get(code);
    // A code is used once.
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (
      asked?.get('code_challenge') !== challenge ||
      asked.get('redirect_uri') !== form.get('redirect_uri') ||
      form.get('grant_type') !== 'authorization_code'
    )
      return void send(400, { error: 'invalid_grant', error_description: 'the code is not valid' });
    const at = Math.floor(this.#now() / 1_000);
    const common = { iss: this.url, sub: 'ada', iat: at, exp: at + 300, ...this.claims };
    const idToken = { ...common, aud: CLIENT.id, nonce: asked.get('nonce'), name: 'Ada Lovelace' };
    send(200, {
      token_type: 'Bearer',
      expires_in: 300,
      access_token: await this.sign({ ...common, aud: AUDIENCE, ...this.accessClaims }),
      id_token: await this.sign({ ...idToken, ...this.idClaims } as JWTPayload, { typ: 'JWT' }, this.idKey),
    });
  }
}

/** Starts an identity provider for the test that is running. */
export async function identityProviderForTest(now: () => number): Promise<IdentityProvider> {
  const provider = new IdentityProvider([await issuerKey('RS256', 'rsa')], now);
  await provider.listen();
  onTestFinished(() => provider.close());
  return provider;
}
