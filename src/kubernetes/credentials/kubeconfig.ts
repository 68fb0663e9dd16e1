import type { CredentialContent } from './credential.ts';
import { CredentialRefused } from './credential-source.ts';
import { Endpoint, type EndpointFields, type EndpointPolicy, type FieldNames } from './endpoint.ts';
import { type PlainValue, readStrictYaml } from './strict-yaml.ts';

/** What we use. */
const CLUSTER_FIELDS = ['server', 'certificate-authority-data', 'tls-server-name'];
const USER_FIELDS = ['token', 'client-certificate-data', 'client-key-data'];
/** What generators write and what means nothing to us. */
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
 * Reads a kubeconfig of a stranger. Of the current context it takes the server, its authority, and a token or a client
 * certificate with its key, all as data in the file. Whatever would run a program, read a file, go through a proxy or trust
 * anyone is refused, and so is what is not known.
 * @throws CredentialRefused naming the field; what stands in it is never told.
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
    throw new CredentialRefused(NAMES.insecure, 'must be false');
  rejectOtherFields(
    cluster,
    'clusters.cluster',
    [...CLUSTER_FIELDS, 'insecure-skip-tls-verify'],
    IGNORED.cluster,
  );
  rejectOtherFields(user, 'users.user', USER_FIELDS, IGNORED.user);
  const found: EndpointFields = {
    server: required(cluster, 'server', 'clusters.cluster.'),
    insecure: skipsVerification,
    caData: optional(cluster, 'certificate-authority-data', NAMES.caData),
    tlsServerName: optional(cluster, 'tls-server-name', NAMES.tlsServerName),
    token: optional(user, 'token', NAMES.token),
    clientCertData: optional(user, 'client-certificate-data', NAMES.clientCertData),
    clientKeyData: optional(user, 'client-key-data', NAMES.clientKeyData),
  };
  if (found.token === undefined && found.clientCertData === undefined && found.clientKeyData === undefined)
    throw new CredentialRefused('users.user', 'must hold a token or a client certificate with its key');
  return new Endpoint(found, policy, NAMES);
}

/** What a probe needs of a credential of either kind. @throws CredentialRefused */
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

/** Refuses every other field. One that is empty asks for nothing, and generators write them. */
function rejectOtherFields(
  map: Fields,
  where: string,
  used: readonly string[],
  ignored: readonly string[],
): void {
  for (const [name, value] of map) {
    if (used.includes(name) || ignored.includes(name)) continue;
    if (isKnown(name) && isEmpty(value)) continue;
    throw new CredentialRefused(`${where}.${printable(name)}`, 'is not accepted');
  }
}

/** Fields of a kubeconfig that ask for what we do not do. */
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

/** A name that is a word is told; another one could be the secret itself, in the wrong place. */
function printable(name: string): string {
  return /^[A-Za-z][A-Za-z-]{0,39}$/.test(name) ? name : '(a field of another name)';
}

/** The one entry of a list of named things that is meant. */
function entry(file: Fields, list: string, kind: string, name: string, meantBy: string): Fields {
  const entries = file.get(list);
  if (!Array.isArray(entries)) throw new CredentialRefused(list, 'must be a list');
  const found = entries
    .map((each: PlainValue) => fields(each, `an entry of ${list}`))
    .filter((each) => each.get('name') === name);
  if (found.length > 1) throw new CredentialRefused(list, `must have one entry of the name in ${meantBy}`);
  if (found[0] === undefined) throw new CredentialRefused(meantBy, `names nothing in ${list}`);
  rejectOtherFields(found[0], list, ['name', kind], []);
  return fields(found[0].get(kind), `${list}.${kind}`);
}

function required(map: Fields, name: string, where: string): string {
  const text = optional(map, name, where + name);
  if (text === undefined) throw new CredentialRefused(where + name, 'is missing');
  return text;
}

function optional(map: Fields, name: string, field: string): string | undefined {
  const value = map.get(name);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new CredentialRefused(field, 'must be text');
  return value;
}
