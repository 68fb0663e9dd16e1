import { z } from 'zod';
import type { ManagementCluster } from '../../management/management-cluster.ts';
import { type Secret, textOf } from '../../management/secrets-api.ts';
import { Credential } from '../credential.ts';
import { CredentialRefused } from '../credential-source.ts';
import { type Entry, LabelledSecrets } from './labelled-secrets.ts';
import type { Place } from './place.ts';

const SCHEME = 'argocd';
const LABEL = 'argocd.argoproj.io/secret-type=cluster';
/** Server URL with which Argo CD refers to its own cluster. */
const IN_CLUSTER = 'https://kubernetes.default.svc';

/** An optional string that the templates of Argo CD leave empty. */
const optional = z
  .string()
  .max(64 * 1024)
  .nullish()
  .transform((text) => (text === '' || text === null ? undefined : text));

/** The `config` of a cluster Secret. Unknown fields are rejected by name. */
const Config = z.strictObject({
  bearerToken: optional,
  username: optional,
  password: optional,
  tlsClientConfig: z
    .strictObject({
      insecure: z.boolean().nullish(),
      serverName: optional,
      caData: optional,
      certData: optional,
      keyData: optional,
    })
    .nullish(),
  disableCompression: z.boolean().nullish(),
});

/** Logins by a program. They are dropped unread, and the cluster is asked without them. */
const PROGRAMS = ['awsAuthConfig', 'execProviderConfig'] as const;

const ADVICE: Readonly<Record<string, string>> = {
  proxyUrl:
    'is not supported: the prober uses no proxy; remove it if the ledger can reach the server directly',
};

/** Creates the source of cluster Secrets of Argo CD: `argocd:<namespace>/<secret>`. */
export function argocdSource(
  { cluster, clusterName }: Place,
  {
    namespaces = ['argocd'],
    freshMs,
  }: { readonly namespaces?: readonly string[]; readonly freshMs?: number } = {},
): LabelledSecrets {
  return new LabelledSecrets({
    scheme: SCHEME,
    cluster,
    clusterName,
    labelSelector: LABEL,
    namespaces,
    read: (secret) => entryOf(secret, cluster),
    whyAbsent: ({ namespace, name }) =>
      namespaces.includes(namespace)
        ? `the namespace ${namespace} has no Secret ${name} with the label ${LABEL}`
        : `the setting credentials.argocd does not name the namespace ${namespace}`,
    ...(freshMs !== undefined && { freshMs }),
  });
}

function entryOf(secret: Secret, cluster: ManagementCluster): Entry {
  const { namespace, name, creationTimestamp } = secret.metadata;
  const server = textOf(secret, 'server') ?? '';
  const since = creationTimestamp === undefined ? Number.NaN : Date.parse(creationTimestamp);
  const item = {
    name: textOf(secret, 'name') ?? name,
    server,
    ...(!Number.isNaN(since) && { since }),
  };
  // The cluster that Argo CD runs in is the management cluster, not one of a customer.
  const isInCluster = isManagement(server);
  const credential = credentialOf(secret, isInCluster ? cluster : undefined);
  return { name: `${namespace}/${name}`, credential, item: isInCluster ? undefined : item };
}

function isManagement(server: string): boolean {
  return server === IN_CLUSTER || server.startsWith(`${IN_CLUSTER}.`) || server.startsWith(`${IN_CLUSTER}:`);
}

/** @param cluster set if the Secret refers to the management cluster itself: its address is used, without a login. */
function credentialOf(
  secret: Secret,
  cluster: ManagementCluster | undefined,
): Credential | CredentialRefused {
  try {
    if (cluster !== undefined) return new Credential({ kind: 'endpoint', ...cluster.endpoint });
    return new Credential(endpointOf(textOf(secret, 'server'), textOf(secret, 'config')));
  } catch (error) {
    if (error instanceof CredentialRefused) return error;
    throw error;
  }
}

function endpointOf(server: string | undefined, config: string | undefined) {
  if (server === undefined || server === '') throw new CredentialRefused('server', 'is missing');
  const { tlsClientConfig, bearerToken: token, username, password, leftOut } = parseConfig(config ?? '{}');
  const { insecure, serverName: tlsServerName, caData, certData, keyData } = tlsClientConfig ?? {};
  if ((certData === undefined) !== (keyData === undefined))
    throw new CredentialRefused('tlsClientConfig', 'must have both certData and keyData, or neither');
  if ((username === undefined) !== (password === undefined))
    throw new CredentialRefused('username', 'must be given together with password');
  return {
    kind: 'endpoint' as const,
    server,
    ...(caData !== undefined && { caData }),
    ...(tlsServerName !== undefined && { tlsServerName }),
    ...(token !== undefined && { token }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(certData !== undefined && { clientCertData: certData }),
    ...(keyData !== undefined && { clientKeyData: keyData }),
    ...(insecure === true && { insecure }),
    ...(leftOut !== undefined && { leftOut }),
  };
}

function parseConfig(text: string): z.output<typeof Config> & { readonly leftOut: string | undefined } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CredentialRefused('config', 'is not valid JSON');
  }
  const { config, leftOut } = withoutPrograms(json);
  const parsed = Config.safeParse(config);
  if (parsed.success) return { ...parsed.data, leftOut };
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].map(String);
  // Limit the length: the name of an unknown field is arbitrary text.
  const field = path.join('.').slice(0, 100) || 'config';
  throw new CredentialRefused(
    field,
    ADVICE[field] ?? (unknown === undefined ? 'has an invalid value' : 'is not supported; remove it'),
  );
}

/** Drops the logins by a program, and fields that are null: Go serializes absent values as null. */
function withoutPrograms(json: unknown): { readonly config: unknown; readonly leftOut: string | undefined } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { config: json, leftOut: undefined };
  const present = Object.entries(json).filter(([, value]) => value !== null);
  const isProgram = (name: string) => (PROGRAMS as readonly string[]).includes(name);
  const program = present.find(([name]) => isProgram(name))?.[0];
  return {
    config: Object.fromEntries(present.filter(([name]) => !isProgram(name))),
    leftOut: program === undefined ? undefined : `${program} is never run`,
  };
}
