import type { JWTPayload } from 'jose';
import { expect, test } from 'vitest';
import { forgedTokens } from '../support/forged-tokens.ts';
import { type Issuer, issuerForTest } from '../support/issuer.ts';
import { bearer } from '../support/keys.ts';
import { type LedgerOptions, ledgerForTest, type TestLedger } from '../support/ledger.ts';

const AUDIENCE = 'cluster-ledger';

async function ledgerWith(issuer: Issuer, more: Record<string, string> = {}): Promise<TestLedger> {
  const environment: LedgerOptions['environment'] = {
    LEDGER_OIDC_ISSUER: issuer.url,
    LEDGER_OIDC_AUDIENCE: AUDIENCE,
    ...more,
  };
  return ledgerForTest({ environment });
}

/** The claims of a valid token of an auditor. */
function claims(issuer: Issuer, { now }: TestLedger, more: JWTPayload = {}): JWTPayload {
  const at = Math.floor(now / 1_000);
  return { iss: issuer.url, aud: AUDIENCE, sub: 'ada', iat: at, exp: at + 300, roles: ['auditor'], ...more };
}

test('tokens of the issuer are accepted, by each algorithm, and name actor, role and account', async () => {
  const issuer = await issuerForTest();
  const ledger = await ledgerWith(issuer);
  expect((await ledger.get('/v1/me')).status).toBe(401);
  for (const key of issuer.keys) {
    const token = await issuer.sign(claims(issuer, ledger), {}, key);
    expect((await ledger.get('/v1/me', bearer(token))).body).toEqual({
      actor: `${issuer.url}#ada`,
      role: 'auditor',
    });
  }
  const customer = await issuer.sign(claims(issuer, ledger, { roles: 'customer', account_id: 'acme' }));
  expect((await ledger.get('/v1/me', bearer(customer))).body).toMatchObject({
    role: 'customer',
    accountId: 'acme',
  });
  const several = await issuer.sign(claims(issuer, ledger, { roles: ['billing', 'operator', 'other'] }));
  expect((await ledger.get('/v1/me', bearer(several))).body.role).toBe('operator');
  expect(issuer.fetches).toBe(1);
});

test('roles are read from the claim and the values that the settings name', async () => {
  const issuer = await issuerForTest();
  const ledger = await ledgerWith(issuer, {
    LEDGER_OIDC_ROLE_CLAIM: 'realm_access.roles',
    LEDGER_OIDC_ROLES: '{ledger-admins: operator}',
    LEDGER_OIDC_TOKEN_TYPE: 'JWT',
  });
  const admin = claims(issuer, ledger, { realm_access: { roles: ['ledger-admins'] } });
  expect((await ledger.get('/v1/me', bearer(await issuer.sign(admin, { typ: 'JWT' })))).body.role).toBe(
    'operator',
  );
  const unnamed = claims(issuer, ledger, { realm_access: { roles: ['operator'] } });
  expect((await ledger.get('/v1/me', bearer(await issuer.sign(unnamed, { typ: 'JWT' })))).status).toBe(403);
  for (const mark of [{ nonce: 'n' }, { at_hash: 'h' }, { c_hash: 'h' }, { typ: 'ID' }]) {
    const token = await issuer.sign({ ...admin, ...mark }, { typ: 'JWT' });
    expect((await ledger.get('/v1/me', bearer(token))).status, JSON.stringify(mark)).toBe(401);
  }
});

test('a token without a role, and one of a customer without an account, are answered 403', async () => {
  const issuer = await issuerForTest();
  const ledger = await ledgerWith(issuer);
  for (const roles of [
    undefined,
    [],
    'root',
    { auditor: true },
    [['auditor']],
    ['__proto__'],
    'constructor',
  ]) {
    const { status } = await ledger.get(
      '/v1/me',
      bearer(await issuer.sign(claims(issuer, ledger, { roles }))),
    );
    expect(status, JSON.stringify(roles)).toBe(403);
  }
  for (const account_id of [undefined, '', ['acme'], 'a/b']) {
    const token = await issuer.sign(claims(issuer, ledger, { roles: ['customer'], account_id }));
    expect((await ledger.get('/v1/me', bearer(token))).status).toBe(403);
  }
});

test('an issuer that does not answer is 503, and its tokens are accepted once it does', async () => {
  const issuer = await issuerForTest();
  const ledger = await ledgerWith(issuer, { LEDGER_OIDC_JWKS_URI: 'http://127.0.0.1:1/jwks' });
  const { status, body } = await ledger.get('/v1/me', bearer(await issuer.sign(claims(issuer, ledger))));
  expect([status, body.type]).toEqual([503, 'urn:cluster-ledger:problem:issuer-unavailable']);
});

test('80 forged tokens are refused', async () => {
  const issuer = await issuerForTest();
  const ledger = await ledgerWith(issuer);
  const valid = claims(issuer, ledger);
  const forged = await forgedTokens(issuer, valid);
  expect((await ledger.get('/v1/me', bearer(await issuer.sign(valid)))).status).toBe(200);
  expect(Object.keys(forged).length).toBeGreaterThanOrEqual(80);
  const accepted: string[] = [];
  for (const [name, token] of Object.entries(forged)) {
    const authorization =
      token.startsWith('Bearer') || token.startsWith('bearer') ? token : `Bearer ${token}`;
    const { status } = await ledger.get('/v1/keys', { authorization });
    if (status !== 401) accepted.push(`${name}: ${status}`);
  }
  expect(accepted).toEqual([]);
});
