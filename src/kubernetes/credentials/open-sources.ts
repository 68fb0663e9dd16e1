import { ManagementCluster } from '../management/management-cluster.ts';
import type { CredentialSettings } from '../settings/credential-settings.ts';
import type { CredentialSource } from './credential-source.ts';
import { argocdSource } from './sources/argocd.ts';
import { clusterApiSource } from './sources/cluster-api.ts';
import { DirectorySource } from './sources/directory.ts';
import { PlainSecretSource } from './sources/plain-secret.ts';

/** The configured sources, and how to close them. */
export interface OpenSources {
  readonly sources: readonly CredentialSource[];
  close(): Promise<void>;
}

/** Opens the configured sources. @throws SourceUnreadable if the access to the management cluster cannot be read. */
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
