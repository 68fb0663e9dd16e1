import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, type JWTPayload } from 'jose';
import { expect, test } from 'vitest';
import { type Issuer, type IssuerKey, issuerForTest, issuerKey } from '../support/issuer.ts';
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

const base64url = (text: string) => Buffer.from(text).toString('base64url');

/** Writes a token by hand, with any header and signature. */
function written(header: unknown, payload: unknown, signature: string | ((input: string) => string)): string {
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  return `${input}.${typeof signature === 'string' ? signature : signature(input)}`;
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
  const foreign = await issuerKey('RS256', 'rsa');
  const valid = claims(issuer, ledger);
  const forged = await forgeries(issuer, ledger, foreign);
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

async function forgeries(
  issuer: Issuer,
  ledger: TestLedger,
  foreign: IssuerKey,
): Promise<Record<string, string>> {
  const [rsa, ec] = issuer.keys as [IssuerKey, IssuerKey];
  const at = Math.floor(ledger.now / 1_000);
  const valid = claims(issuer, ledger);
  const good = await issuer.sign(valid);
  const [head = '', body = '', signature = ''] = good.split('.');
  const pem = await exportSPKI(rsa.pair.publicKey);
  const hmac =
    (secret: string, alg = 'sha256') =>
    (input: string) =>
      createHmac(alg, secret).update(input).digest('base64url');
  const without = (name: keyof JWTPayload) => {
    const { [name]: _, ...rest } = valid;
    return issuer.sign(rest);
  };
  const withClaims = (more: Record<string, unknown>) =>
    issuer
      .sign({ ...valid, ...more } as JWTPayload)
      .catch(() => written({ alg: 'RS256', kid: 'rsa', typ: 'at+jwt' }, { ...valid, ...more }, signature));
  const forged: Record<string, string | Promise<string>> = {};
  for (const alg of ['none', 'None', 'NONE', 'nOnE', ''])
    for (const end of ['', signature])
      forged[`alg ${JSON.stringify(alg)} signed ${end !== ''}`] = written({ alg, typ: 'at+jwt' }, valid, end);
  for (const [alg, digest] of [
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ] as const) {
    forged[`${alg} with the public key`] = written(
      { alg, kid: 'rsa', typ: 'at+jwt' },
      valid,
      hmac(pem, digest),
    );
    forged[`${alg} with the public key without white space`] = written(
      { alg, kid: 'rsa', typ: 'at+jwt' },
      valid,
      hmac(pem.trim(), digest),
    );
    forged[`${alg} with the public key after white space`] = written(
      { alg, kid: 'rsa', typ: 'at+jwt' },
      valid,
      hmac(` ${pem}`, digest),
    );
    forged[`${alg} with an empty secret`] = written(
      { alg, kid: 'rsa', typ: 'at+jwt' },
      valid,
      hmac(' ', digest),
    );
  }
  for (const alg of [
    'RS384',
    'RS512',
    'PS256',
    'PS512',
    'ES256',
    'ES384',
    'EdDSA',
    'ES256K',
    'rs256',
    'RS256 ',
  ])
    forged[`the header says ${alg}`] = written({ alg, kid: 'rsa', typ: 'at+jwt' }, valid, signature);
  const jwk = await exportJWK(foreign.pair.publicKey);
  const evil = 'https://evil.example/jwks';
  forged['a foreign key'] = issuer.sign(valid, {}, foreign);
  forged['a foreign key in jwk'] = issuer.sign(valid, { jwk } as object, foreign);
  forged['a foreign key by jku'] = issuer.sign(valid, { jku: evil } as object, foreign);
  forged['a foreign key by x5u'] = issuer.sign(valid, { x5u: evil } as object, foreign);
  forged['a foreign key in x5c'] = issuer.sign(valid, { x5c: ['MIIB'] } as object, foreign);
  for (const kid of [
    '../../dev/null',
    '/dev/null',
    "' OR 1=1 --",
    'ec',
    '__proto__',
    '',
    'rsa\u0000',
    'https://evil.example',
  ])
    forged[`kid ${JSON.stringify(kid)}`] = written(
      { alg: 'RS256', kid, typ: 'at+jwt' },
      valid,
      hmac('', 'sha256'),
    );
  forged['a key id of another algorithm'] = issuer.sign(valid, { kid: ec.kid });
  forged['crit that is not understood'] = written(
    { alg: 'RS256', kid: 'rsa', typ: 'at+jwt', crit: ['x'], x: 1 },
    valid,
    signature,
  );
  forged['an unencoded payload'] = written(
    { alg: 'RS256', kid: 'rsa', typ: 'at+jwt', b64: false, crit: ['b64'] },
    valid,
    signature,
  );
  for (const typ of ['JWT', 'id+jwt', 'logout+jwt', 'at+jwt2', 'dpop+jwt'])
    forged[`typ ${typ}`] = issuer.sign(valid, { typ });
  forged['no typ'] = issuer.sign(valid, { typ: undefined } as object);
  forged['an ID token'] = issuer.sign({ ...valid, aud: 'console', nonce: 'n', at_hash: 'h' }, { typ: 'JWT' });
  for (const iss of [
    [issuer.url],
    `${issuer.url}/`,
    issuer.url.toUpperCase(),
    'https://evil.example',
    '',
    null,
    ` ${issuer.url}`,
  ])
    forged[`iss ${JSON.stringify(iss)}`] = withClaims({ iss });
  for (const aud of [
    [AUDIENCE],
    [AUDIENCE, 'other'],
    [],
    'other',
    AUDIENCE.toUpperCase(),
    `${AUDIENCE} `,
    '',
    null,
    { 0: AUDIENCE },
  ])
    forged[`aud ${JSON.stringify(aud)}`] = withClaims({ aud });
  for (const sub of ['', null, ['ada'], 1]) forged[`sub ${JSON.stringify(sub)}`] = withClaims({ sub });
  forged['expired'] = withClaims({ exp: at - 61 });
  forged['expired long ago'] = withClaims({ exp: 1 });
  forged['exp as text'] = withClaims({ exp: String(at + 300) });
  forged['not valid yet'] = withClaims({ nbf: at + 61 });
  forged['nbf as text'] = withClaims({ nbf: 'now' });
  for (const name of ['iss', 'aud', 'sub', 'exp'] as const) forged[`without ${name}`] = without(name);
  forged['a changed payload'] =
    `${head}.${base64url(JSON.stringify({ ...valid, roles: ['operator'] }))}.${signature}`;
  forged['a changed header'] =
    `${base64url(JSON.stringify({ alg: 'RS256', kid: 'rsa', typ: 'at+jwt', x: 1 }))}.${body}.${signature}`;
  forged['without a signature'] = `${head}.${body}.`;
  forged['with half a signature'] = `${head}.${body}.${signature.slice(0, signature.length / 2)}`;
  forged['with two parts'] = `${head}.${body}`;
  forged['with four parts'] = `${good}.${signature}`;
  forged['with five parts'] = `${head}..${body}.${signature}.${signature}`;
  forged['with padding'] = `${head}.${body}.${signature}==`;
  forged['with a blank inside'] = `Bearer ${head}. ${body}.${signature}`;
  forged['two tokens'] = `Bearer ${good}, ${good}`;
  forged['longer than allowed'] = withClaims({ x: 'x'.repeat(8_000) });
  forged['not base64'] = '%%%.%%%.%%%';
  forged['empty parts'] = '..';
  const names = Object.keys(forged);
  const tokens = await Promise.all(Object.values(forged));
  return Object.fromEntries(names.map((name, i) => [name, tokens[i] as string]));
}
