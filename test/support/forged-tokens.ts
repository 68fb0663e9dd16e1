import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, type JWTPayload } from 'jose';
import { type Issuer, type IssuerKey, issuerKey } from './issuer.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');

/** Writes a token by hand, with any header and signature. */
function written(header: unknown, payload: unknown, signature: string | ((input: string) => string)): string {
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  return `${input}.${typeof signature === 'string' ? signature : signature(input)}`;
}

/**
 * Returns tokens that nobody may be let in with, by what is wrong with them. Some are whole values of the header `Authorization`.
 * @param issuer its first key is for RS256, and its second one for ES256. @param valid the claims of a valid token.
 */
export async function forgedTokens(
  issuer: Issuer,
  valid: JWTPayload,
): Promise<Readonly<Record<string, string>>> {
  const [rsa, ec] = issuer.keys as [IssuerKey, IssuerKey];
  const foreign = await issuerKey('RS256', 'rsa');
  const audience = String(valid.aud);
  const at = Number(valid.iat);
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
    [audience],
    [audience, 'other'],
    [],
    'other',
    audience.toUpperCase(),
    `${audience} `,
    '',
    null,
    { 0: audience },
  ])
    forged[`aud ${JSON.stringify(aud)}`] = withClaims({ aud });
  for (const sub of ['', null, ['ada'], 1]) forged[`sub ${JSON.stringify(sub)}`] = withClaims({ sub });
  forged['expired'] = withClaims({ exp: at - 61 });
  forged['expired long ago'] = withClaims({ exp: 1 });
  forged['exp as text'] = withClaims({ exp: String(at + 300) });
  forged['not valid yet'] = withClaims({ nbf: at + 3_600 });
  forged['nbf as text'] = withClaims({ nbf: 'now' });
  for (const name of ['iss', 'aud', 'sub', 'exp'] as const) forged[`without ${name}`] = without(name);
  forged['a changed payload'] =
    `${head}.${base64url(JSON.stringify({ ...valid, sub: 'eve', roles: ['operator'] }))}.${signature}`;
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
