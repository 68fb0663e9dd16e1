import type { CredentialContent } from './credential.ts';
import { CredentialRefused } from './credential-source.ts';
import { Endpoint, type EndpointFields, type EndpointPolicy, type FieldNames } from './endpoint.ts';
import { type PlainValue, readStrictYaml } from './strict-yaml.ts';

/** Fields that the ledger uses. */
const CLUSTER_FIELDS = ['server', 'certificate-authority-data', 'tls-server-name'];
const USER_FIELDS = ['token', 'client-certificate-data', 'client-key-data'];
/** Fields that generators write and that have no effect here. */
const IGNORED = {
  file: ['preferences', 'extensions'],
  cluster: ['disable-compression', 'extensions'],
  user: ['extensions'],
  context: ['namespace', 'extensions'],
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
 * Parses a kubeconfig, which is untrusted input. It uses the server, the CA, and a token or a client certificate
 * with its key, of the current context and inline only. It rejects every field that would run a program, read a
 * file, use a proxy or skip verification, and every unknown field.
 * @throws CredentialRefused with the name of the field, never its value.
 */
export function parseKubeconfig(text: string, policy: EndpointPolicy): Endpoint {
  const file = fields(readStrictYaml(text, 'kubeconfig'), 'kubeconfig');
  rejectOtherFields(
    file,
    'kubeconfig',
    ['apiVersion', 'kind', 'clusters', 'users', 'contexts', 'current-context'],
    IGNORED.file,
  );
  if (file.get('apiVersion') !== 'v1') throw new CredentialRefused('apiVersion', 'must be v1');
  if (file.get('kind') !== 'Config') throw new CredentialRefused('kind', 'must be Config');
  const current = required(file, 'current-context', '');
  const context = entry(file, 'contexts', 'context', current, 'current-context');
  rejectOtherFields(context, 'contexts.context', ['cluster', 'user'], IGNORED.context);
  const clusterName = required(context, 'cluster', 'contexts.context.');
  const cluster = entry(file, 'clusters', 'cluster', clusterName, 'contexts.context.cluster');
  const userName = required(context, 'user', 'contexts.context.');
  const user = entry(file, 'users', 'user', userName, 'contexts.context.user');
  const skipsVerification = cluster.get('insecure-skip-tls-verify');
  if (skipsVerification !== undefined && typeof skipsVerification !== 'boolean')
    throw new CredentialRefused(NAMES.insecure, 'must be true or false');
  rejectOtherFields(
    cluster,
    'clusters.cluster',
    [...CLUSTER_FIELDS, 'insecure-skip-tls-verify'],
    IGNORED.cluster,
  );
  rejectOtherFields(user, 'users.user', USER_FIELDS, IGNORED.user);
  const endpoint: EndpointFields = {
    server: required(cluster, 'server', 'clusters.cluster.'),
    insecure: skipsVerification,
    caData: optional(cluster, 'certificate-authority-data', NAMES.caData),
    tlsServerName: optional(cluster, 'tls-server-name', NAMES.tlsServerName),
    token: optional(user, 'token', NAMES.token),
    clientCertData: optional(user, 'client-certificate-data', NAMES.clientCertData),
    clientKeyData: optional(user, 'client-key-data', NAMES.clientKeyData),
  };
  if (
    endpoint.token === undefined &&
    endpoint.clientCertData === undefined &&
    endpoint.clientKeyData === undefined
  )
    throw new CredentialRefused('users.user', 'must have a token, or a client certificate with its key');
  return new Endpoint(endpoint, policy, NAMES);
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
    throw new CredentialRefused(`${where}.${printable(name)}`, 'is not supported');
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

function required(map: Fields, name: string, where: string): string {
  const text = optional(map, name, where + name);
  if (text === undefined) throw new CredentialRefused(where + name, 'is missing');
  return text;
}

function optional(map: Fields, name: string, field: string): string | undefined {
  const value = map.get(name);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new CredentialRefused(field, 'must be a string');
  return value;
}
