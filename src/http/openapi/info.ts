/** The texts of the OpenAPI document that belong to no single operation. */

export const DESCRIPTION = `Computes what customers of a Kubernetes platform are charged for their clusters, and proves it.

- Instants are RFC 3339 in UTC with milliseconds. Quantities are decimal strings, counts are integers. Positions are decimal
  strings: places in the log from 1, without gaps.
- Errors are problem documents (RFC 9457). Their \`type\` never changes; docs/errors.md says what to do about each.
- Unknown query parameters and unknown fields of bodies are errors.
- Lists have pages: \`limit\` and \`cursor\` in the request, \`next\` in the answer.
- A read with \`minPosition\` waits until the ledger has read that position, so that a client reads what it has written.
- \`HEAD\` is answered like \`GET\`, without the body.`;

/** The groups of operations, by who uses them and for what. */
export const TAGS = [
  { name: 'Ingest', description: 'The application that creates and deletes clusters posts facts.' },
  { name: 'Corrections', description: 'People and scripts record single facts, and void wrong ones.' },
  {
    name: 'Deletions',
    description: 'Clusters are deleted with a second confirmation, and deletions are followed to their end.',
  },
  { name: 'Clusters', description: 'The state of clusters.' },
  { name: 'Accounts', description: 'Accounts, their profiles and the use of their limits.' },
  { name: 'Billing', description: 'The billing service pulls usage and statements, and closes periods.' },
  { name: 'Audit', description: 'Auditors replay facts, compare figures, and export evidence.' },
  { name: 'Log', description: 'The signed log: checkpoints and proofs.' },
  { name: 'Feed', description: 'Other systems follow the log.' },
  { name: 'Webhooks', description: 'The ledger sends events to other systems.' },
  { name: 'Alerts', description: 'What somebody has to look at.' },
  { name: 'Validator', description: 'The validator probes billed clusters.' },
  { name: 'Kubefirst', description: 'Telemetry and records of Kubefirst.' },
  { name: 'Sessions', description: 'People sign in to the console with a browser.' },
  { name: 'Keys', description: 'Operators give access to the ledger.' },
  { name: 'Operations', description: 'Health, the clock, and rejected events.' },
] as const;

export const SERVERS = [
  { url: '/', description: 'The ledger that serves this document.' },
  { url: 'http://127.0.0.1:8400', description: 'A ledger with the default address.' },
] as const;

/** Name of the scheme that the telemetry of Kubefirst uses. */
export const WRITE_KEY = 'writeKey';

/** Name of the scheme of API keys and tokens. */
export const BEARER = 'bearer';

/** Name of the scheme of sessions. */
export const SESSION = 'session';

export const SECURITY_SCHEMES = {
  [BEARER]: {
    type: 'http' as const,
    scheme: 'bearer',
    description:
      'An API key, `clk_<id>_<secret>`, or a token of OpenID Connect. Without any key, callers on a loopback address are operators.',
  },
  [SESSION]: {
    type: 'apiKey' as const,
    in: 'cookie',
    name: '__Host-ledger-session',
    description:
      'The session of a browser, which begins with `POST /v1/session`. Without https, the name is `ledger-session-<port>`. Changes need the header `Origin`.',
  },
  [WRITE_KEY]: {
    type: 'http' as const,
    scheme: 'basic',
    description:
      'The write key of the Kubefirst source as the user name, without a password. Needed only if a write key is configured.',
  },
};
