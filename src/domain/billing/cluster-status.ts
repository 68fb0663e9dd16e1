/** The statuses of a cluster, in order of precedence: a cluster has the first one that applies. */
export const CLUSTER_STATUSES = [
  'orphan',
  'voided',
  'deleted',
  'free',
  'pending',
  'stopped',
  'billed',
] as const;
export type ClusterStatus = (typeof CLUSTER_STATUSES)[number];
