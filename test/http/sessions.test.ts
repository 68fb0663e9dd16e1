import { describe, expect, test } from 'vitest';
import { type IdentityProvider, identityProviderForTest } from '../support/identity-provider.ts';
import { issuerKey } from '../support/issuer.ts';
import { bearer, createKey, sendAs } from '../support/keys.ts';
import { type Answer, type LedgerOptions, ledgerForTest, type TestLedger } from '../support/ledger.ts';

const HOUR_MS = 3_600_000;
const JSON_BODY = { 'content-type': 'application/json' };

/** A browser: it keeps cookies, and names its page in every request that may change something. */
class Browser {
  readonly ledger: TestLedger;
  readonly cookies = new Map<string, string>();
  readonly #origin: string | undefined;

  constructor(ledger: TestLedger, origin?: string) {
    this.ledger = ledger;
    this.#origin = origin;
  }

  get origin(): string {
    return this.#origin ?? `http://127.0.0.1:${this.ledger.port}`;
  }

  get headers(): Record<string, string> {
    return { cookie: Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ') };
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await this.ledger.fetch(path, {
      method,
      headers: {
        ...this.headers,
        ...(method !== 'GET' && { origin: this.origin }),
        ...(body !== undefined && JSON_BODY),
        ...more,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/Max-Age=0(;|$)/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  signIn(key: string): Promise<Answer> {
    return this.send('POST', '/v1/session', { key });
  }

  /** Signs in at the identity provider; returns the answer that ends the sign-in. */
  async signInAt(provider: IdentityProvider, returnTo = '/'): Promise<Answer> {
    const begun = await this.send('POST', '/v1/session/sign-in', { returnTo });
    if (begun.status !== 200) return begun;
    const back = provider.responseTo(new URL(begun.body.authorizationUrl).searchParams);
    return this.send('POST', '/v1/session/sign-in/end', { response: new URL(back).search });
  }
}

async function ledgerWithKeys(options: LedgerOptions = {}) {
  const ledger = await ledgerForTest(options);
  const operator = await createKey(ledger, undefined, { role: 'operator', name: 'Ada' });
  return { ledger, operator, browser: new Browser(ledger) };
}

async function ledgerWithProvider(more: Record<string, string> = {}) {
  const clock: { ledger?: TestLedger } = {};
  const provider = await identityProviderForTest(() => (clock.ledger as TestLedger).now);
  const ledger = await ledgerForTest({ environment: { ...provider.settings, ...more } });
  clock.ledger = ledger;
  return { provider, ledger, browser: new Browser(ledger) };
}

describe('a session that begins with an API key', () => {
  test('is in a cookie that no script can read and no other site can send, and has the rights of the key', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const customer = await createKey(ledger, operator.key, {
      role: 'customer',
      accountId: 'acme',
      name: 'Acme',
    });
    expect((await browser.send('GET', '/v1/session')).body).toEqual({ state: 'signed-out', may: [] });
    const { status, body, headers } = await browser.signIn(customer.key);
    expect(status).toBe(201);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        new RegExp(
          `^ledger-session-${ledger.port}=[\\w.-]+; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict$`,
        ),
      ),
    ]);
    expect(headers.getSetCookie().join()).not.toContain(customer.key.split('_')[2]);
    expect(body).toMatchObject({
      state: 'signed-in',
      caller: { actor: customer.id, role: 'customer', accountId: 'acme', name: 'Acme' },
      endsAt: '2026-04-15T20:00:00.000Z',
    });
    expect(body.may).toContain('requestDeletion');
    expect(body.may).not.toContain('createKey');
    expect((await browser.send('GET', '/v1/session')).body).toEqual(body);
    expect((await browser.send('GET', '/v1/me')).body).toEqual({
      actor: customer.id,
      role: 'customer',
      accountId: 'acme',
    });
    expect((await browser.send('GET', '/v1/keys')).status).toBe(403);
    expect((await browser.send('GET', '/v1/accounts/globex')).status).toBe(404);
  });

  test('names in may exactly the operations that are not answered 403', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const { body: contract } = await ledger.get('/openapi.json');
    const billing = await createKey(ledger, operator.key, { role: 'billing' });
    const { body } = await browser.signIn(billing.key);
    for (const [path, methods] of Object.entries<Record<string, { operationId: string }>>(contract.paths))
      for (const [method, { operationId }] of Object.entries(methods)) {
        if (path.startsWith('/v1/session')) continue;
        const concrete = path.replaceAll(/\{\w+\}/g, 'x');
        const request = method === 'get' ? `${concrete}?no-such-parameter=1` : concrete;
        const answer = await browser.send(method.toUpperCase(), request);
        expect([operationId, answer.status === 403]).toEqual([operationId, !body.may.includes(operationId)]);
      }
  });

  test('has a Secure cookie of this host alone with https, also behind a proxy that the ledger does not know', async () => {
    const { ledger, operator } = await ledgerWithKeys();
    const host = `127.0.0.1:${ledger.port}`;
    const browser = new Browser(ledger, `https://${host}`);
    const { headers } = await browser.signIn(operator.key);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-ledger-session=.*; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ]);
    expect((await browser.send('GET', '/v1/session')).body.state).toBe('signed-in');
  });

  test('does not count, with https, in a cookie that another host of the site could have set', async () => {
    const { operator, browser, ledger } = await ledgerWithKeys({
      environment: { LEDGER_HTTP_TRUST_PROXY: '[127.0.0.1]' },
    });
    await browser.signIn(operator.key);
    const plain = [...browser.cookies.values()][0];
    const asked = (name: string) =>
      ledger.get('/v1/me', { 'x-forwarded-proto': 'https', cookie: `${name}=${plain}` });
    expect((await asked(`ledger-session-${ledger.port}`)).status).toBe(401);
    expect((await asked('__Host-ledger-session')).status).toBe(200);
  });

  test('changes something only if a page of the ledger asks', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    await browser.signIn(operator.key);
    const create = (headers: Record<string, string>) =>
      ledger.fetch('/v1/keys', {
        method: 'POST',
        headers: { ...JSON_BODY, ...browser.headers, ...headers },
        body: JSON.stringify({ name: 'x', role: 'auditor' }),
      });
    const foreign = 'urn:cluster-ledger:problem:foreign-origin';
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://localhost:${ledger.port}` },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ] as Record<string, string>[]) {
      const { status, body } = await create(headers);
      expect([status, body.type], JSON.stringify(headers)).toEqual([403, foreign]);
    }
    expect((await create({ origin: browser.origin })).status).toBe(201);
    expect((await create({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
  });

  test('cannot be kept by a shared cache', async () => {
    const { operator, browser } = await ledgerWithKeys();
    expect((await browser.signIn(operator.key)).headers.get('cache-control')).toBe('no-store');
    const { headers } = await browser.send('GET', '/v1/clusters');
    expect(headers.get('cache-control')).toBe('private, no-cache');
  });

  test('ends after 8 hours, also if it is used', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    await browser.signIn(operator.key);
    for (let hour = 0; hour < 8; hour++) {
      expect((await browser.send('GET', '/v1/me')).status).toBe(200);
      ledger.pass(HOUR_MS);
    }
    const { status, body } = await browser.send('GET', '/v1/me');
    expect([status, body.detail]).toEqual([401, expect.stringContaining('sign in again')]);
    expect((await browser.send('GET', '/v1/session')).body.state).toBe('signed-out');
  });

  test('ends when its key expires or is revoked', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const expiresAt = new Date(ledger.now + HOUR_MS).toISOString();
    const short = await createKey(ledger, operator.key, { role: 'auditor', expiresAt });
    expect((await browser.signIn(short.key)).body.endsAt).toBe(expiresAt);
    ledger.pass(HOUR_MS);
    expect((await browser.send('GET', '/v1/me')).status).toBe(401);
    const other = await createKey(ledger, operator.key, { role: 'auditor' });
    await browser.signIn(other.key);
    expect((await browser.send('GET', '/v1/me')).status).toBe(200);
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${other.id}/revoke`);
    const { status, body } = await browser.send('GET', '/v1/me');
    expect([status, body.detail]).toEqual([401, expect.stringContaining(`the key ${other.id} is revoked`)]);
  });

  test('takes its live stream with it when its key is revoked', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const auditor = await createKey(ledger, operator.key, { role: 'auditor' });
    await browser.signIn(auditor.key);
    const url = `http://127.0.0.1:${ledger.port}/v1/stream`;
    const stream = await fetch(url, { headers: browser.headers });
    expect(stream.status).toBe(200);
    const ended = stream.text().then(
      () => 'ended',
      () => 'cut',
    );
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${auditor.id}/revoke`);
    await ledger.rooms.openAnswers.check();
    expect(await ended).toBe('cut');
  });

  test('ends in the browser when the person signs out', async () => {
    const { operator, browser } = await ledgerWithKeys();
    await browser.signIn(operator.key);
    const { status, headers } = await browser.send('DELETE', '/v1/session');
    expect(status).toBe(204);
    expect(headers.getSetCookie()[0]).toMatch(/=; Path=\/; Max-Age=0; HttpOnly; SameSite=Strict/);
    expect((await browser.send('GET', '/v1/me')).status).toBe(401);
  });

  test('gives way to a credential in the header Authorization', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const auditor = await createKey(ledger, operator.key, { role: 'auditor' });
    await browser.signIn(operator.key);
    const { body } = await browser.send('GET', '/v1/me', undefined, bearer(auditor.key));
    expect(body.role).toBe('auditor');
  });

  test('can begin with the bootstrap key, and ends with it', async () => {
    const secret = 'a secret-of-the-first-start'.replaceAll(' ', '-');
    const ledger = await ledgerForTest({ environment: { LEDGER_BOOTSTRAP_KEY: secret } });
    const browser = new Browser(ledger);
    expect((await browser.signIn(secret)).body.caller).toEqual({ actor: 'bootstrap', role: 'operator' });
    expect((await browser.send('POST', '/v1/keys', { name: 'Ada', role: 'operator' })).status).toBe(201);
    expect((await browser.send('GET', '/v1/me')).status).toBe(401);
  });

  test('does not begin with a wrong, revoked or expired key, and says which', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const revoked = await createKey(ledger, operator.key, { role: 'auditor' });
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${revoked.id}/revoke`);
    for (const [key, why] of [
      ['wrong', 'the key is not known'],
      [`${operator.key}x`, 'the key is not known'],
      [revoked.key, `the key ${revoked.id} is revoked`],
    ] as const) {
      const { status, body, headers } = await browser.signIn(key);
      expect([status, body.detail]).toEqual([401, why]);
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  test('cannot be tried more than 60 times a minute from one address', async () => {
    const { ledger, operator, browser } = await ledgerWithKeys();
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++) statuses.push((await browser.signIn('wrong')).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    // A right guess is not let in either.
    const { status, headers } = await browser.signIn(operator.key);
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ledger.get('/v1/me', bearer(operator.key))).status).toBe(200);
  });

  test('is not needed while there is no key: everybody on this machine is an operator', async () => {
    const ledger = await ledgerForTest();
    const { body } = await ledger.get('/v1/session');
    expect(body).toMatchObject({ state: 'open', caller: { actor: 'loopback', role: 'operator' } });
    expect(body.may).toContain('createKey');
  });
});

describe('the text of a session', () => {
  test('is accepted by every replica with the same key, and by no ledger with another', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const environment = { LEDGER_SESSIONS_KEY: key };
    const { operator, browser, ledger } = await ledgerWithKeys({ environment });
    await browser.signIn(operator.key);
    const text = [...browser.cookies.values()][0];
    const cookie = () => ({ cookie: `ledger-session-${ledger.port}=${text}` });
    await ledger.reopen();
    expect((await ledger.get('/v1/me', cookie())).status).toBe(200);
    const other = await ledgerWithKeys();
    const foreign = { cookie: `ledger-session-${other.ledger.port}=${text}` };
    expect((await other.ledger.get('/v1/me', foreign)).status).toBe(401);
  });

  test('survives a restart without any setting, by a key in a file that only its owner can read', async () => {
    const { operator, browser, ledger } = await ledgerWithKeys();
    await browser.signIn(operator.key);
    const text = [...browser.cookies.values()][0];
    await ledger.reopen();
    const { status } = await ledger.get('/v1/me', { cookie: `ledger-session-${ledger.port}=${text}` });
    expect(status).toBe(200);
  });

  test('is refused if a single character differs', async () => {
    const { operator, browser, ledger } = await ledgerWithKeys();
    await browser.signIn(operator.key);
    const text = [...browser.cookies.values()][0] as string;
    const accepted: number[] = [];
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
      const { status } = await ledger.get('/v1/me', { cookie: `ledger-session-${ledger.port}=${changed}` });
      // The last character of a part of base64url has bits that carry nothing.
      if (status !== 401 && /[^.]$/.test(text.slice(0, i + 1)) && !/^(\.|$)/.test(text.slice(i + 1)))
        accepted.push(i);
    }
    expect(accepted).toEqual([]);
  });
});

describe('a session that begins at the identity provider', () => {
  test('has the role of the access token, and the name of the person', async () => {
    const { provider, browser } = await ledgerWithProvider();
    expect((await browser.send('GET', '/v1/session')).body).toEqual({
      state: 'signed-out',
      may: [],
      identityProvider: { issuer: provider.url },
    });
    provider.claims = { roles: ['customer'], account_id: 'acme' };
    const { status, body } = await browser.signInAt(provider, '/clusters?status=billed');
    expect([status, body]).toEqual([
      201,
      expect.objectContaining({
        state: 'signed-in',
        caller: { actor: `${provider.url}#ada`, role: 'customer', accountId: 'acme', name: 'Ada Lovelace' },
        endsAt: '2026-04-15T20:00:00.000Z',
        returnTo: '/clusters?status=billed',
      }),
    ]);
    expect((await browser.send('GET', '/v1/me')).body).toEqual({
      actor: `${provider.url}#ada`,
      role: 'customer',
      accountId: 'acme',
    });
    expect(browser.cookies.size).toBe(1);
  });

  test('asks with PKCE, a state and a nonce that are never the same, and for this ledger only', async () => {
    const { provider, browser, ledger } = await ledgerWithProvider({
      LEDGER_OIDC_AUTHORIZATION_PARAMETERS: '{audience: cluster-ledger}',
    });
    const begin = async () => {
      const { body, headers } = await browser.send('POST', '/v1/session/sign-in', {});
      expect(headers.getSetCookie()[0]).toMatch(/Max-Age=600; HttpOnly; SameSite=Strict$/);
      return new URL(body.authorizationUrl);
    };
    const [one, two] = [await begin(), await begin()];
    expect(one.origin).toBe(provider.url);
    expect(Object.fromEntries(one.searchParams)).toEqual({
      audience: 'cluster-ledger',
      client_id: 'ledger-console',
      response_type: 'code',
      scope: 'openid profile',
      redirect_uri: `http://127.0.0.1:${ledger.port}/sign-in`,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(one.searchParams.get(name)).not.toBe(two.searchParams.get(name));
  });

  test('can have the role of the ID token, if the settings say so', async () => {
    const { provider, browser } = await ledgerWithProvider({ LEDGER_OIDC_ROLES_FROM: 'id-token' });
    provider.accessClaims = { aud: 'only the issuer', roles: [] };
    expect((await browser.signInAt(provider)).body.caller.role).toBe('auditor');
  });

  test.each<[string, (provider: IdentityProvider) => void | Promise<void>, number, RegExp]>([
    [
      'the state is another one',
      (it) => {
        it.alterResponse = (query) => query.set('state', 'x');
      },
      400,
      /state/,
    ],
    [
      'there is no state',
      (it) => {
        it.alterResponse = (query) => query.delete('state');
      },
      400,
      /state/,
    ],
    [
      'the issuer of the response is another one',
      (it) => {
        it.alterResponse = (query) => query.set('iss', 'https://evil.example');
      },
      400,
      /iss/,
    ],
    [
      'the person refuses',
      (it) => {
        it.alterResponse = (query) => {
          query.delete('code');
          query.set('error', 'access_denied');
        };
      },
      400,
      /access_denied/,
    ],
    [
      'the code is not known',
      (it) => {
        it.alterResponse = (query) => query.set('code', 'x');
      },
      400,
      /invalid_grant/,
    ],
    [
      'the nonce is another one',
      (it) => {
        it.idClaims = { nonce: 'x' };
      },
      400,
      /nonce/,
    ],
    [
      'the ID token is for another client',
      (it) => {
        it.idClaims = { aud: 'other' };
      },
      400,
      /aud/,
    ],
    [
      'the ID token is of another issuer',
      (it) => {
        it.idClaims = { iss: 'https://evil.example' };
      },
      400,
      /iss/,
    ],
    [
      'the ID token is too old',
      (it) => {
        it.idClaims = { exp: 1 };
      },
      400,
      /exp/,
    ],
    [
      'the ID token is signed by somebody else',
      async (it) => {
        it.idKey = await issuerKey('RS256', 'rsa');
      },
      400,
      /signature/,
    ],
    [
      'the tokens are of two persons',
      (it) => {
        it.idClaims = { sub: 'eve' };
      },
      400,
      /two persons/,
    ],
    [
      'the access token is for another service',
      (it) => {
        it.accessClaims = { aud: 'other' };
      },
      401,
      /aud/,
    ],
    [
      'the person has no role',
      (it) => {
        it.claims = { roles: ['guest'] };
      },
      403,
      /no role/,
    ],
    [
      'a customer has no account',
      (it) => {
        it.claims = { roles: ['customer'] };
      },
      403,
      /account/,
    ],
  ])('does not begin if %s', async (_, alter, status, why) => {
    const { provider, browser } = await ledgerWithProvider();
    await alter(provider);
    const answer = await browser.signInAt(provider);
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringMatching(why)]);
    expect((await browser.send('GET', '/v1/me')).status).toBe(401);
  });

  test('begins only in the browser that asked, within 10 minutes, and once', async () => {
    const { provider, browser, ledger } = await ledgerWithProvider();
    const begin = async () => {
      const { body } = await browser.send('POST', '/v1/session/sign-in', {});
      return new URL(provider.responseTo(new URL(body.authorizationUrl).searchParams)).search;
    };
    const response = await begin();
    const stranger = await new Browser(ledger).send('POST', '/v1/session/sign-in/end', { response });
    expect([stranger.status, stranger.body.type]).toEqual([400, 'urn:cluster-ledger:problem:sign-in-failed']);
    ledger.pass(600_000);
    expect((await browser.send('POST', '/v1/session/sign-in/end', { response })).status).toBe(400);
    const again = await begin();
    expect((await browser.send('POST', '/v1/session/sign-in/end', { response: again })).status).toBe(201);
    expect((await browser.send('POST', '/v1/session/sign-in/end', { response: again })).status).toBe(400);
  });

  test.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
    ' /clusters',
    'clusters',
    '',
  ])('never leads to another site afterwards: %j', async (returnTo) => {
    const { browser } = await ledgerWithProvider();
    const { status, body } = await browser.send('POST', '/v1/session/sign-in', { returnTo });
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, '/returnTo']);
  });

  test('is refused with 503 while the identity provider cannot be reached, and can be tried again', async () => {
    const { provider, browser } = await ledgerWithProvider();
    const { body } = await browser.send('POST', '/v1/session/sign-in', {});
    const back = provider.responseTo(new URL(body.authorizationUrl).searchParams);
    await provider.close();
    const begun = await browser.send('POST', '/v1/session/sign-in', {});
    expect([begun.status, begun.body.type]).toEqual([503, 'urn:cluster-ledger:problem:issuer-unavailable']);
    const response = new URL(back).search;
    expect((await browser.send('POST', '/v1/session/sign-in/end', { response })).status).toBe(503);
  });

  test('needs a configured client', async () => {
    const { browser } = await ledgerWithKeys();
    const { status, body } = await browser.send('POST', '/v1/session/sign-in', {});
    expect([status, body.type]).toEqual([409, 'urn:cluster-ledger:problem:no-identity-provider']);
  });
});
