import { type Secret, textOf } from '../../management/secrets-api.ts';
import { Credential } from '../credential.ts';
import { CredentialRefused } from '../credential-source.ts';
import { MAX_KUBECONFIG_BYTES } from './directory.ts';
import { type Entry, LabelledSecrets } from './labelled-secrets.ts';
import type { Place } from './place.ts';

const SCHEME = 'capi';
const CLUSTER_NAME = 'cluster.x-k8s.io/cluster-name';
const SUFFIX = '-kubeconfig';

/**
 * Creates the source of kubeconfigs from Cluster API: `capi:<namespace>/<cluster>`, in the Secret
 * `<cluster>-kubeconfig`.
 */
export function clusterApiSource(
  place: Place,
  { namespaces = [], freshMs }: { readonly namespaces?: readonly string[]; readonly freshMs?: number } = {},
): LabelledSecrets {
  return new LabelledSecrets({
    scheme: SCHEME,
    cluster: place.cluster,
    clusterName: place.clusterName,
    labelSelector: CLUSTER_NAME,
    namespaces,
    read: entryOf,
    whyAbsent: ({ namespace, name }) =>
      namespaces.length === 0 || namespaces.includes(namespace)
        ? `the namespace ${namespace} has no Secret ${name}${SUFFIX} with the label ${CLUSTER_NAME}=${name}`
        : `the setting credentials.clusterApi does not name the namespace ${namespace}`,
    ...(freshMs !== undefined && { freshMs }),
  });
}

/** Reads one Secret. The label is also on the Secrets of the cluster's CA keys, which are dropped unread. */
function entryOf(secret: Secret): Entry | undefined {
  const { namespace, name, labels, creationTimestamp } = secret.metadata;
  const clusterName = labels?.[CLUSTER_NAME];
  if (clusterName === undefined || name !== `${clusterName}${SUFFIX}`) return undefined;
  const since = creationTimestamp === undefined ? Number.NaN : Date.parse(creationTimestamp);
  return {
    name: `${namespace}/${clusterName}`,
    credential: credentialOf(secret),
    item: {
      name: clusterName,
      ...(!Number.isNaN(since) && { since }),
    },
  };
}

function credentialOf(secret: Secret): Credential | CredentialRefused {
  const text = textOf(secret, 'value');
  if (text === undefined) return new CredentialRefused('value', 'must contain a kubeconfig');
  if (Buffer.byteLength(text) > MAX_KUBECONFIG_BYTES)
    return new CredentialRefused('value', `must have at most ${MAX_KUBECONFIG_BYTES} bytes`);
  return new Credential({ kind: 'kubeconfig', text });
}
