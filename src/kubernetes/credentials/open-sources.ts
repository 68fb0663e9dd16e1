import { ManagementCluster } from '../management/management-cluster.ts';
import { type CredentialSettings, managementClustersOf } from '../settings/credential-settings.ts';
import type { CredentialSource } from './credential-source.ts';
import type { EndpointPolicy } from './endpoint.ts';
import { argocdSource } from './sources/argocd.ts';
import { clusterApiSource } from './sources/cluster-api.ts';
import { DirectorySource } from './sources/directory.ts';
import { PlainSecretSource } from './sources/plain-secret.ts';

/** The configured sources, and how to close them. */
export interface OpenSources {
  readonly sources: readonly CredentialSource[];
  close(): Promise<void>;
}

/** Opens the configured sources. Nothing is read yet, so one that cannot be read does not affect the others. */
export function openSources(
  settings: CredentialSettings,
  policy: EndpointPolicy = { allowPlainHttp: false },
): OpenSources {
  const sources: CredentialSource[] = [];
  const clusters: ManagementCluster[] = [];
  if (settings.directory !== undefined) sources.push(new DirectorySource(settings.directory));
  for (const { name, access, argocd, clusterApi, secrets } of managementClustersOf(settings)) {
    const cluster = new ManagementCluster(access, policy);
    clusters.push(cluster);
    const place = { cluster, clusterName: name };
    if (argocd !== undefined) sources.push(argocdSource(place, argocd));
    if (clusterApi !== undefined) sources.push(clusterApiSource(place, clusterApi));
    if (secrets !== undefined) sources.push(new PlainSecretSource(place, secrets.namespaces));
  }
  const close = async () => {
    await Promise.all([...sources, ...clusters].map((each) => each.close()));
  };
  return { sources, close };
}
