import type { CredentialContent } from './credential.ts';
import { CredentialRefused } from './credential-source.ts';
import { Endpoint, type EndpointFields, type EndpointPolicy, type FieldNames } from './endpoint.ts';
import { type PlainValue, readStrictYaml } from './strict-yaml.ts';

/** Fields that the ledger uses. */
const CLUSTER_FIELDS = ['server', 'certificate-authority-data', 'tls-server-name'];
const USER_FIELDS = ['token', 'username', 'password', 'client-certificate-data', 'client-key-data'];
/** Logins that are never used: the cluster is asked without them. */
const LEFT_OUT = {
  exec: 'is never run',
  'auth-provider': 'is never run',
  tokenFile: 'names a file, which is never read',
  'client-certificate': 'names a file, which is never read',
  'client-key': 'names a file, which is never read',
} as const;
type LeftOutField = keyof typeof LEFT_OUT;
const LEFT_OUT_FIELDS = Object.keys(LEFT_OUT) as readonly LeftOutField[];
/** Fields that generators write and that have no effect here. */
const IGNORED = {
  file: ['preferences', 'extensions'],
  cluster: ['disable-compression', 'extensions'],
  user: ['extensions'],
  context: ['namespace', 'extensions'],
};
/** Advice for fields that are not accepted, by field. */
const ADVICE: Readonly<Record<string, string>> = {
  'clusters.cluster.certificate-authority':
    'names a file, which is never read; kubectl config view --flatten --minify writes its content as certificate-authority-data',
  'clusters.cluster.proxy-url':
    'is not supported: the prober uses no proxy; remove it if the ledger can reach the server directly',
  'users.user.as': 'is not supported: the ledger acts for nobody else; use a token of its own',
  'users.user.as-uid': 'is not supported: the ledger acts for nobody else; use a token of its own',
  'users.user.as-groups': 'is not supported: the ledger acts for nobody else; use a token of its own',
  'users.user.as-user-extra': 'is not supported: the ledger acts for nobody else; use a token of its own',
};

const NAMES: FieldNames = {
  server: 'clusters.cluster.server',
  caData: 'clusters.cluster.certificate-authority-data',
  tlsServerName: 'clusters.cluster.tls-server-name',
  insecure: 'clusters.cluster.insecure-skip-tls-verify',
  token: 'users.user.token',
  username: 'users.user.username',
  password: 'users.user.password',
  clientCertData: 'users.user.client-certificate-data',
  clientKeyData: 'users.user.client-key-data',
};

/**
 * Parses a kubeconfig, which is untrusted input. It uses the server, the CA, and a login of the current context, inline
 * only. A login that would run a program or read a file is left out without reading it. It rejects a CA in a file,
 * proxies, impersonation, skipped verification, and every unknown field.
 * @param contextName the context to use in place of the current one.
 * @throws CredentialRefused with the name of the field, never its value.
 */
export function parseKubeconfig(text: string, policy: EndpointPolicy, contextName?: string): Endpoint {
  const file = documentOf(text);
  rejectOtherFields(
    file,
    'kubeconfig',
    ['apiVersion', 'kind', 'clusters', 'users', 'contexts', 'current-context'],
    IGNORED.file,
  );
  const current =
    contextName ?? required(file, 'current-context', '', 'choose one with kubectl config use-context');
  const context = entry(file, 'contexts', 'context', current, 'current-context');
  rejectOtherFields(context, 'contexts.context', ['cluster', 'user'], IGNORED.context);
  const cluster = entry(
    file,
    'clusters',
    'cluster',
    required(context, 'cluster', 'contexts.context.'),
    'contexts.context.cluster',
  );
  const { user, leftOut } = userOf(file, context);
  const skipsVerification = cluster.get('insecure-skip-tls-verify') ?? undefined;
  if (skipsVerification !== undefined && typeof skipsVerification !== 'boolean')
    throw new CredentialRefused(NAMES.insecure, 'must be true or false');
  const hasCa = !isEmpty(cluster.get('certificate-authority-data') ?? null);
  rejectOtherFields(
    cluster,
    'clusters.cluster',
    [...CLUSTER_FIELDS, 'insecure-skip-tls-verify', ...(hasCa ? ['certificate-authority'] : [])],
    IGNORED.cluster,
  );
  const endpoint: EndpointFields = {
    server: required(cluster, 'server', 'clusters.cluster.'),
    insecure: skipsVerification,
    caData: optional(cluster, 'certificate-authority-data', NAMES.caData),
    tlsServerName: optional(cluster, 'tls-server-name', NAMES.tlsServerName),
    token: optional(user, 'token', NAMES.token),
    username: optional(user, 'username', NAMES.username),
    password: optional(user, 'password', NAMES.password),
    clientCertData: optional(user, 'client-certificate-data', NAMES.clientCertData),
    clientKeyData: optional(user, 'client-key-data', NAMES.clientKeyData),
    leftOut,
  };
  return new Endpoint(endpoint, policy, NAMES);
}

/** Returns the map of a kubeconfig, or says what else the text is. */
function documentOf(text: string): Fields {
  const document = readStrictYaml(text, 'kubeconfig');
  if (typeof document === 'string' && isBase64Of(document, 'apiVersion'))
    throw new CredentialRefused('kubeconfig', 'must not be in base64; decode it first');
  const file = fields(document, 'kubeconfig');
  const kind = file.get('kind') ?? '';
  if (kind === 'Secret' || kind === 'ConfigMap')
    throw new CredentialRefused(
      'kubeconfig',
      `must not be the manifest of a ${kind}; use the kubeconfig in its data, decoded from base64`,
    );
  const apiVersion = file.get('apiVersion') ?? '';
  if (apiVersion !== '' && apiVersion !== 'v1') throw new CredentialRefused('apiVersion', 'must be v1');
  if (kind !== '' && kind !== 'Config') throw new CredentialRefused('kind', 'must be Config');
  return file;
}

function isBase64Of(text: string, word: string): boolean {
  return /^[A-Za-z0-9+/=\s]+$/.test(text) && Buffer.from(text, 'base64').toString('utf8').includes(word);
}

/** Returns the fields of the user of a context, without those of a login that is never used, and says which those were. */
function userOf(
  file: Fields,
  context: Fields,
): { readonly user: Fields; readonly leftOut: string | undefined } {
  const name = optional(context, 'user', 'contexts.context.user');
  if (name === undefined) return { user: new Map(), leftOut: undefined };
  const all = entry(file, 'users', 'user', name, 'contexts.context.user');
  const leftOut = LEFT_OUT_FIELDS.filter((field) => !isEmpty(all.get(field) ?? null));
  const user = new Map([...all].filter(([field]) => !leftOut.includes(field as LeftOutField)));
  // Half of a pair is of no use if the other half is in a file.
  if (leftOut.includes('client-key') && isEmpty(all.get('client-key-data') ?? null))
    user.delete('client-certificate-data');
  if (leftOut.includes('client-certificate') && isEmpty(all.get('client-certificate-data') ?? null))
    user.delete('client-key-data');
  rejectOtherFields(user, 'users.user', USER_FIELDS, IGNORED.user);
  const [first] = leftOut;
  return { user, leftOut: first === undefined ? undefined : `users.user.${first} ${LEFT_OUT[first]}` };
}

/** Returns the endpoint of a credential of either kind. @throws CredentialRefused */
export function endpointOf(content: CredentialContent, policy: EndpointPolicy): Endpoint {
  return content.kind === 'kubeconfig'
    ? parseKubeconfig(content.text, policy)
    : new Endpoint(content, policy);
}

type Fields = ReadonlyMap<string, PlainValue>;

function fields(value: PlainValue | undefined, where: string): Fields {
  if (value instanceof Map) return value;
  throw new CredentialRefused(where, 'must be a map');
}

/** Rejects all other fields. Empty fields that generators write are accepted. */
function rejectOtherFields(
  map: Fields,
  where: string,
  used: readonly string[],
  ignored: readonly string[],
): void {
  for (const [name, value] of map) {
    if (used.includes(name) || ignored.includes(name)) continue;
    if (isKnown(name) && isEmpty(value)) continue;
    const field = `${where}.${printable(name)}`;
    throw new CredentialRefused(field, ADVICE[field] ?? 'is not supported; remove it');
  }
}

/** Fields of a kubeconfig that are only accepted while they are empty. */
const KNOWN = new Set([
  'certificate-authority',
  'proxy-url',
  'client-certificate',
  'client-key',
  'tokenFile',
  'username',
  'password',
  'exec',
  'auth-provider',
  'as',
  'as-uid',
  'as-groups',
  'as-user-extra',
]);

function isKnown(name: string): boolean {
  return KNOWN.has(name);
}

function isEmpty(value: PlainValue): boolean {
  if (value === null || value === '') return true;
  return value instanceof Map ? value.size === 0 : Array.isArray(value) && value.length === 0;
}

/** Returns a field name that is safe to print. Anything but a plain word could be a misplaced secret. */
function printable(name: string): string {
  return /^[A-Za-z][A-Za-z-]{0,39}$/.test(name) ? name : '(a name that is not printed)';
}

/** Returns the one entry of a named list that has the given name. */
function entry(file: Fields, list: string, kind: string, name: string, meantBy: string): Fields {
  const entries = file.get(list);
  if (!Array.isArray(entries)) throw new CredentialRefused(list, 'must be a list');
  const matches = entries
    .map((item: PlainValue) => fields(item, `an entry of ${list}`))
    .filter((item) => item.get('name') === name);
  if (matches.length > 1)
    throw new CredentialRefused(list, `must have exactly one entry with the name in ${meantBy}`);
  if (matches[0] === undefined) throw new CredentialRefused(meantBy, `names no entry of ${list}`);
  rejectOtherFields(matches[0], list, ['name', kind], []);
  return fields(matches[0].get(kind), `${list}.${kind}`);
}

function required(map: Fields, name: string, where: string, advice?: string): string {
  const text = optional(map, name, where + name);
  if (text === undefined)
    throw new CredentialRefused(where + name, advice === undefined ? 'is missing' : `is missing; ${advice}`);
  return text;
}

function optional(map: Fields, name: string, field: string): string | undefined {
  const value = map.get(name);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new CredentialRefused(field, 'must be a string');
  return value;
}
