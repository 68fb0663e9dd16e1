import { z } from 'zod';

const inCluster = z.literal(true);
const kubeconfig = z.string().min(1);
const context = z.string().min(1).optional();

/** Access to a management cluster: from within that cluster, or by a kubeconfig of the operator. */
export const ManagementClusterSettings = z.union([
  z.strictObject({ inCluster }),
  z.strictObject({ kubeconfig, context }),
]);
export type ManagementClusterSettings = z.output<typeof ManagementClusterSettings>;

const Namespaces = z.array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a namespace'));

/** Kinds of Secrets with credentials, each with the namespaces to read. */
const kinds = {
  argocd: z.strictObject({ namespaces: Namespaces.min(1).default(['argocd']) }).optional(),
  /** An empty list means all namespaces. */
  clusterApi: z.strictObject({ namespaces: Namespaces.default([]) }).optional(),
  secrets: z.strictObject({ namespaces: Namespaces.min(1) }).optional(),
};

/** Name of a management cluster, as references to its credentials have it. */
export const ManagementClusterName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z 0-9 -');

/** One of several management clusters. It may have its own kinds of Secrets in place of the shared ones. */
const NamedCluster = z.union([
  z.strictObject({ inCluster, ...kinds }),
  z.strictObject({ kubeconfig, context, ...kinds }),
]);

/** The sources of cluster credentials. Holds no credential, so the server may read it; only the probing process opens the sources. */
export const CredentialSettings = z
  .strictObject({
    /** A folder of kubeconfig files. */
    directory: z.string().min(1).optional(),
    managementCluster: ManagementClusterSettings.optional(),
    /** Several management clusters by name. References name them: `argocd:<name>/<namespace>/<secret>`. */
    managementClusters: z.record(ManagementClusterName, NamedCluster).optional(),
    ...kinds,
  })
  .refine(
    ({ managementCluster, managementClusters, argocd, clusterApi, secrets }) =>
      managementCluster !== undefined ||
      managementClusters !== undefined ||
      (argocd ?? clusterApi ?? secrets) === undefined,
    'argocd, clusterApi and secrets need managementCluster or managementClusters',
  );
export type CredentialSettings = z.output<typeof CredentialSettings>;

/** A management cluster with the kinds of Secrets to read in it. */
export interface ManagementClusterSource
  extends Pick<CredentialSettings, 'argocd' | 'clusterApi' | 'secrets'> {
  /** `undefined` for the one without a name. */
  readonly name: string | undefined;
  readonly access: ManagementClusterSettings;
}

/** Returns all configured management clusters. */
export function managementClustersOf({
  managementCluster,
  managementClusters = {},
  argocd,
  clusterApi,
  secrets,
}: CredentialSettings): readonly ManagementClusterSource[] {
  const shared = { argocd, clusterApi, secrets };
  const unnamed =
    managementCluster === undefined ? [] : [{ name: undefined, access: managementCluster, ...shared }];
  const named = Object.entries(managementClusters).map(
    ([name, { argocd, clusterApi, secrets, ...access }]) => {
      const own = { argocd, clusterApi, secrets };
      const hasOwn = Object.values(own).some((kind) => kind !== undefined);
      return { name, access, ...(hasOwn ? own : shared) };
    },
  );
  return [...unnamed, ...named];
}
