import { z } from 'zod';
import { ManagementCluster, ManagementClusterSettings } from '../management/management-cluster.ts';
import type { CredentialSource } from './credential-source.ts';
import { argocdSource } from './sources/argocd.ts';
import { clusterApiSource } from './sources/cluster-api.ts';
import { DirectorySource } from './sources/directory.ts';
import { PlainSecretSource } from './sources/plain-secret.ts';

const Namespaces = z.array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a namespace'));

/** Where credentials of clusters come from. Plain values: any process can open its sources from them. */
export const CredentialSettings = z
  .strictObject({
    /** A folder of kubeconfig files. */
    directory: z.string().min(1).optional(),
    managementCluster: ManagementClusterSettings.optional(),
    argocd: z.strictObject({ namespaces: Namespaces.min(1).default(['argocd']) }).optional(),
    /** Without namespaces all are read. */
    clusterApi: z.strictObject({ namespaces: Namespaces.default([]) }).optional(),
    secrets: z.strictObject({ namespaces: Namespaces.min(1) }).optional(),
  })
  .refine(
    ({ managementCluster, argocd, clusterApi, secrets }) =>
      managementCluster !== undefined || (argocd ?? clusterApi ?? secrets) === undefined,
    'argocd, clusterApi and secrets need managementCluster',
  );
export type CredentialSettings = z.output<typeof CredentialSettings>;

/** All sources that are configured, and how to close them. */
export interface OpenSources {
  readonly sources: readonly CredentialSource[];
  close(): Promise<void>;
}

/** @throws SourceUnreadable where the management cluster's own access cannot be read. */
export async function openSources(settings: CredentialSettings): Promise<OpenSources> {
  const { directory, managementCluster, argocd, clusterApi, secrets } = settings;
  const sources: CredentialSource[] = [];
  if (directory !== undefined) sources.push(new DirectorySource(directory));
  const cluster =
    managementCluster === undefined ? undefined : await ManagementCluster.open(managementCluster);
  if (cluster !== undefined) {
    if (argocd !== undefined) sources.push(argocdSource(cluster, argocd));
    if (clusterApi !== undefined) sources.push(clusterApiSource(cluster, clusterApi));
    if (secrets !== undefined) sources.push(new PlainSecretSource(cluster, secrets.namespaces));
  }
  const close = async () => {
    await Promise.all(sources.map((source) => source.close()));
    await cluster?.close();
  };
  return { sources, close };
}
