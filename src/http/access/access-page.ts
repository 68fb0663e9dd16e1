import { ROLES, type Role } from '../../domain/access/caller.ts';
import type { DeclaredRoute } from './require-access.ts';
import { type Scope, scopeOf } from './route-access.ts';

/** Text of a cell. */
const WORDS: Readonly<Record<Scope, string>> = { all: 'yes', own: 'own', filtered: 'own' };

/** Returns the reference page of the roles, in Markdown. Every route has a row. */
export function accessPage(routes: readonly DeclaredRoute[]): string {
  const rows = routes
    .filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'))
    .map(({ method, url, access }) => {
      const path = url.replaceAll(/:(\w+)/g, '{$1}');
      const cell = (role: Role) => WORDS[scopeOf(access, role) ?? 'all'];
      const cells = ROLES.map((role) => (scopeOf(access, role) === undefined ? 'no' : cell(role)));
      return `| \`${method} ${path}\` | ${[access === 'public' ? 'yes' : 'no', ...cells].join(' | ')} |`;
    });
  return `${INTRODUCTION}
| request | no credential | ${ROLES.join(' | ')} |
| ------- | ------------- | ${ROLES.map((role) => '-'.repeat(role.length)).join(' | ')} |
${rows.join('\n')}
`;
}

const INTRODUCTION = `# Who may do what

Every request but those of the health checks, of signing in and of this documentation needs a credential, as a bearer token:

\`\`\`
Authorization: Bearer clk_…
\`\`\`

Browsers have a session instead, see _Sessions_ below. A credential is an API key, an access token of an OpenID Connect issuer, or the bootstrap key.
[How to give access](how-to/give-access.md) leads from nothing to a key for each user. While there is no key, no bootstrap key
and no issuer, the ledger serves only loopback addresses, and every caller is an operator.

## Roles

| role       | for                           | may                                                                                                                             |
| ---------- | ----------------------------- | ------------------------------------------------------------------------------------------------------------------------------- |
| \`producer\` | the Pro app                   | post lifecycle facts and deletions; read the facts that it posted, and their clusters                                           |
| \`billing\`  | the billing service           | read usage, statements, accounts and the feed; close periods                                                                    |
| \`auditor\`  | auditors, monitoring          | read everything, replay, export evidence; write nothing                                                                         |
| \`operator\` | people who run the ledger     | everything, also stop and resume billing, void facts, transfer clusters, and manage keys                                        |
| \`customer\` | one customer: bound to an account | read the clusters, usage, statements and alerts of its account, with their evidence, and request deletions of its clusters |

A caller whose role may not send a request gets \`403\` \`forbidden\`. Without a valid credential it gets \`401\` \`unauthenticated\`.

Where the table says _own_:

- A customer gets \`404\` for another account, for a cluster that belongs to another account now, and for facts from the time of
  another owner. The answer is the same whether they exist or not. Lists leave them out.
- A producer gets \`404\` for clusters without a fact that it posted, and for facts that it did not post. Keys of producers with
  one name are one producer, so that a key can be replaced.

What a customer reads names no other account. If a cluster came from another account, or went to one, its facts and intervals
from the time of the other owner are left out, as are facts that name another account, such as a transfer that was voided. A
replay shows the transfer to another account without its data. An evidence file has only the clusters that are billed to the
account in the period of the statement or in an earlier one that changed, with the facts that the statement cannot be verified
without. Of a cluster that came from another account, these are also the earlier facts, and of one that went to another account
in that time also the transfer: an evidence file then names that account.

## Keys

A key is \`clk_<id>_<secret>\`. The id is public: it is the actor of everything that is done with the key. The secret has 190 random
bits and a checksum, and the ledger shows it once. The stream \`access\` of the log has the SHA-256 of the secret, the role, the
account, the name and the expiry of every key, so that every replica knows it, and an auditor sees who could do what when.

- A key expires after 365 days at most. The alert \`key-expiring\` says so 14 days before (for a key of a short life, when a quarter of
  it is left), until it is revoked or a later key of the same name, role and account exists.
- A revoked key is refused at once by the process that revoked it, and within 30 seconds by every other one. Answers that are
  still being sent to its holder, such as streams, are cut within a minute.
- A replica that cannot reach the store for 55 seconds lets no key in, since a key could have been revoked.
- The last use of a key is exact in the process that saw it, and known to the hour in others.
- The last active key of an operator cannot be revoked, unless an issuer of tokens can name operators.
- A key may send ${'`http.rateLimit`'} requests in 10 seconds; more get \`429\` \`rate-limited\` with \`Retry-After\`.

## Tokens

With \`oidc.issuer\` and \`oidc.audience\`, access tokens (JWTs) of that issuer are accepted. The signature must be by a key that the
issuer publishes, with RS256, ES256 or EdDSA. \`iss\` and \`aud\` must be exactly the configured texts, not lists. \`exp\` and \`sub\` are
required, with a tolerance of 60 seconds. The header \`typ\` must be \`at+jwt\`, or see \`oidc.tokenType\`. The claim \`oidc.roleClaim\`
holds the role, and \`oidc.accountClaim\` the account of a customer. If a token has several roles, the first of operator, auditor,
billing, producer, customer counts. The actor is \`<issuer>#<subject>\`.

## Sessions

People who use the console sign in once, with an API key (\`POST /v1/session\`) or at the identity provider. The session is in a cookie
that no script can read (\`HttpOnly\`) and that browsers send for pages of the ledger only (\`SameSite=Strict\`), with https as
\`__Host-ledger-session\`. It is encrypted, and the ledger keeps no copy of it: every replica with the same \`sessions.key\` accepts it.

- A session has the rights of its key as they are now. It ends when the key expires or is revoked, within the times above.
- A session from the identity provider keeps role and account of the sign-in. A change there counts from the next sign-in on.
- Every session ends after 8 hours, and when the person signs out.
- A request that changes something needs the header \`Origin\`, which browsers send: a page of the ledger, or of one of
  \`http.allowedOrigins\`, must be its sender. Programs use a key.
- The header \`Authorization\` counts before a session.
- One address may try 60 sign-ins in a minute.

[How to sign in with an identity provider](how-to/sign-in-with-an-identity-provider.md) has the settings.

## Every request and role

This table is generated from the routes. A test sends every request with every credential and expects what the table says.
`;
