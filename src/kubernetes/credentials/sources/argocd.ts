import { z } from 'zod';
import type { ManagementCluster } from '../../management/management-cluster.ts';
import { type Secret, textOf } from '../../management/secrets-api.ts';
import { Credential } from '../credential.ts';
import { CredentialRefused } from '../credential-source.ts';
import { type Entry, LabelledSecrets } from './labelled-secrets.ts';

const SCHEME = 'argocd';
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

const WHY: Readonly<Record<string, string>> = {
  execProviderConfig: 'is not supported: it would run a program to log in',
  awsAuthConfig: 'is not supported: it would run a program to log in to AWS; use bearerToken',
  proxyUrl: 'is not supported: the prober uses no proxy',
};

/** Creates the source of cluster Secrets of Argo CD: `argocd:<namespace>/<secret>`. */
export function argocdSource(
  cluster: ManagementCluster,
  {
    namespaces = ['argocd'],
    freshMs,
  }: { readonly namespaces?: readonly string[]; readonly freshMs?: number } = {},
): LabelledSecrets {
  return new LabelledSecrets({
    scheme: SCHEME,
    cluster,
    labelSelector: 'argocd.argoproj.io/secret-type=cluster',
    namespaces,
    read: (secret) => entryOf(secret, cluster),
    ...(freshMs !== undefined && { freshMs }),
  });
}

function entryOf(secret: Secret, cluster: ManagementCluster): Entry {
  const { namespace, name, creationTimestamp } = secret.metadata;
  const server = textOf(secret, 'server') ?? '';
  const since = creationTimestamp === undefined ? Number.NaN : Date.parse(creationTimestamp);
  const item = {
    source: SCHEME,
    reference: `${SCHEME}:${namespace}/${name}`,
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
  if (server === undefined || !URL.canParse(server)) throw new CredentialRefused('server', 'must be a URL');
  const { tlsClientConfig, bearerToken: token, username, password } = parseConfig(config ?? '{}');
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
  };
}

function parseConfig(text: string): z.output<typeof Config> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CredentialRefused('config', 'is not valid JSON');
  }
  const parsed = Config.safeParse(dropNulls(json));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].map(String);
  // Limit the length: the name of an unknown field is arbitrary text.
  const field = path.join('.').slice(0, 100) || 'config';
  throw new CredentialRefused(
    field,
    WHY[field] ?? (unknown === undefined ? 'has an invalid value' : 'is not supported'),
  );
}

/** Drops fields that are null: Go serializes absent values as null. */
function dropNulls(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}
