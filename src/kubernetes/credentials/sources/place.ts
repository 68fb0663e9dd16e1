import type { ManagementCluster } from '../../management/management-cluster.ts';

/** A management cluster that has Secrets with credentials. */
export interface Place {
  readonly cluster: ManagementCluster;
  /** Its name in references; `undefined` for the one without a name. */
  readonly clusterName: string | undefined;
}
