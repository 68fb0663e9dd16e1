import { isIP } from 'node:net';
import { z } from 'zod';
import { ROLES, type Role } from '../domain/access/caller.ts';

/** A network: an address, or a prefix such as `10.0.0.0/8`. */
const Network = z.string().refine(isNetwork, 'must be an IP address or a network such as 10.0.0.0/8');

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Returns whether a URL cannot be read or changed by others: https, or http on this machine. */
function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}

const SafeUrl = z.string().refine(isSafeUrl, 'must be an https URL, or an http URL of this machine');

export const TrustedProxies = z
  .array(Network)
  .max(100)
  .default([])
  .describe(
    'Networks of the proxies in front of the ledger, as a list. Only from these addresses are `X-Forwarded-For`, `-Host` and `-Proto` believed.',
  );

export const AllowedOrigins = z
  .array(z.string().refine(isOrigin, 'must be an origin such as https://console.example, without a path'))
  .max(100)
  .default([])
  .describe(
    'Origins of other websites whose pages may send requests to the ledger, as a list. A proxy that changes `Host` makes the own pages foreign too.',
  );

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

export const RateLimit = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(1_000_000, 'must be at most 1000000')
  .default(3_000)
  .describe(
    'Maximum number of requests of one key in 10 seconds; more are answered with 429. Without keys there is no limit.',
  );

export const BootstrapKey = z
  .string()
  .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 printable characters without spaces')
  .refine((text) => !text.startsWith('clk_'), 'must not begin with clk_, as keys of the ledger do')
  .optional()
  .describe(
    'Secret that counts as the key of an operator until the first key of an operator is created. For the first start of a ledger that others can reach.',
  );

const ownRoles = Object.fromEntries(ROLES.map((role) => [role, role])) as Record<string, Role>;

/** Parameters of an authorization request that the ledger sets. */
const OWN_PARAMETERS = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
];

export const SessionKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64, as `openssl rand -base64 32` writes them')
  .optional()
  .describe(
    'The key that encrypts the sessions of browsers: 32 bytes in base64. All replicas need the same one. By default the key in the file `session-key` of the data folder, which the first start creates.',
  );

/** Settings of an OpenID Connect issuer whose access tokens are accepted. */
export const OidcSettings = z.strictObject({
  issuer: SafeUrl.optional().describe(
    'Issuer of access tokens (OpenID Connect): the exact value of the claim `iss`. Without it only API keys are accepted.',
  ),
  audience: z
    .string()
    .min(1, 'must not be empty')
    .optional()
    .describe('The exact value of the claim `aud`. Required with `oidc.issuer`.'),
  jwksUri: SafeUrl.optional().describe(
    'Where the issuer publishes its keys. By default its discovery document says so.',
  ),
  tokenType: z
    .enum(['at+jwt', 'JWT'], { error: 'must be at+jwt or JWT' })
    .default('at+jwt')
    .describe(
      'The header `typ` of access tokens: `at+jwt` (RFC 9068), or `JWT` for issuers that do not set it. With `JWT`, ID tokens are recognized by their claims.',
    ),
  roleClaim: z
    .string()
    .min(1)
    .default('roles')
    .describe('Claim that holds the roles, such as `groups` or `realm_access.roles`.'),
  roles: z
    .record(z.string().min(1), z.enum(ROLES))
    .default(ownRoles)
    .describe('Role by value of that claim. By default the roles have their own names.'),
  accountClaim: z
    .string()
    .min(1)
    .default('account_id')
    .describe('Claim that holds the account of a customer.'),
  clientId: z
    .string()
    .min(1, 'must not be empty')
    .optional()
    .describe(
      'Client id of the console at the issuer. With it, people sign in to the console at the issuer. Requires `oidc.issuer`.',
    ),
  clientSecret: z
    .string()
    .min(1, 'must not be empty')
    .optional()
    .describe('Secret of that client. Without it the console is a public client, which PKCE protects.'),
  scope: z
    .string()
    .regex(/(^| )openid( |$)/, 'must contain openid')
    .default('openid profile')
    .describe('Scopes that a sign-in asks for, separated by spaces.'),
  rolesFrom: z
    .enum(['access-token', 'id-token'], { error: 'must be access-token or id-token' })
    .default('access-token')
    .describe(
      'Token of a sign-in whose claims hold role and account: `access-token`, which must be one for `oidc.audience`, or `id-token`, for issuers whose access tokens only the issuer can read.',
    ),
  authorizationParameters: z
    .record(z.string().regex(/^[a-z_]{1,64}$/), z.string().max(1_000))
    .refine(
      (parameters) => Object.keys(parameters).every((name) => !OWN_PARAMETERS.includes(name)),
      `must not contain ${OWN_PARAMETERS.join(', ')}`,
    )
    .default({})
    .describe(
      'Further parameters of the authorization request, such as `{audience: cluster-ledger}` for Auth0 or `{prompt: select_account}`.',
    ),
});

/** A configured issuer. */
export type OidcIssuer = z.output<typeof OidcSettings> & {
  readonly issuer: string;
  readonly audience: string;
};
