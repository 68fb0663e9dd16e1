import type { Instant } from '../time.ts';
import type { ClusterRecord, UnusableRecord } from './cluster-record.ts';
import type { KnownCluster } from './identity.ts';

/** All records of a place that have been read. */
export interface RecordSet {
  /** Names in the index; `undefined` without an index. */
  readonly index: readonly string[] | undefined;
  readonly byName: ReadonlyMap<string, RecordFile>;
}

/** One record with the workload clusters in it. */
export interface RecordFile {
  readonly records: readonly ClusterRecord[];
  readonly unusable: readonly UnusableRecord[];
  readonly changedAt: Instant | undefined;
}

/** A cluster without a record. */
export interface MissingCluster {
  readonly cluster: KnownCluster;
  /** Latest time at which the record disappeared; `undefined` for the time of the check. */
  readonly since: Instant | undefined;
}

/**
 * Returns the registered clusters of a place that no longer have a record. No cluster is missing while it may be in
 * an unusable record, or in one that is being written or removed.
 * @param claimed ids of the clusters that have a record.
 */
export function missingClusters(
  { index, byName }: RecordSet,
  known: Iterable<KnownCluster>,
  claimed: ReadonlySet<string>,
): readonly MissingCluster[] {
  const files = [...byName.values()];
  const isWhole = files.every(({ unusable, records }) => unusable.length === 0 || records.length > 0);
  if (index === undefined || !isWhole) return [];
  const isSettled = index.every((name) => byName.has(name));
  const hosts = new Map(files.map((file) => [file.records[0]?.kubefirstId, file]));
  const missing: MissingCluster[] = [];
  for (const cluster of known) {
    if (cluster.deletedAt !== undefined || claimed.has(cluster.clusterId)) continue;
    const host = hosts.get(cluster.managementId);
    if (host === undefined) {
      if (isSettled) missing.push({ cluster, since: undefined });
    } else if (host.unusable.length === 0) {
      missing.push({ cluster, since: host.changedAt });
    }
  }
  return missing;
}
