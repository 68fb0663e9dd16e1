import { z } from 'zod';

/** Access to the management cluster of the platform: from within that cluster, or by a kubeconfig of the operator. */
export const ManagementClusterSettings = z.union([
  z.strictObject({ inCluster: z.literal(true) }),
  z.strictObject({ kubeconfig: z.string().min(1), context: z.string().min(1).optional() }),
]);
export type ManagementClusterSettings = z.output<typeof ManagementClusterSettings>;

const Namespaces = z.array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a namespace'));

/** The sources of cluster credentials. Holds no credential, so the server may read it; only the probing process opens the sources. */
export const CredentialSettings = z
  .strictObject({
    /** A folder of kubeconfig files. */
    directory: z.string().min(1).optional(),
    managementCluster: ManagementClusterSettings.optional(),
    argocd: z.strictObject({ namespaces: Namespaces.min(1).default(['argocd']) }).optional(),
    /** An empty list means all namespaces. */
    clusterApi: z.strictObject({ namespaces: Namespaces.default([]) }).optional(),
    secrets: z.strictObject({ namespaces: Namespaces.min(1) }).optional(),
  })
  .refine(
    ({ managementCluster, argocd, clusterApi, secrets }) =>
      managementCluster !== undefined || (argocd ?? clusterApi ?? secrets) === undefined,
    'argocd, clusterApi and secrets need managementCluster',
  );
export type CredentialSettings = z.output<typeof CredentialSettings>;
