import type { Instant } from '../time.ts';
import type { ClusterRecord, UnusableRecord } from './cluster-record.ts';
import type { KnownCluster } from './identity.ts';

/** All records of a place, as far as they are known. */
export interface RecordSet {
  /** Names in the index; `undefined` where there is no index. */
  readonly index: readonly string[] | undefined;
  readonly byName: ReadonlyMap<string, RecordFile>;
}

/** One record with the workload clusters that it holds. */
export interface RecordFile {
  readonly records: readonly ClusterRecord[];
  readonly unusable: readonly UnusableRecord[];
  readonly changedAt: Instant | undefined;
}

/** A cluster without a record, and since when at the latest. */
export interface MissingCluster {
  readonly cluster: KnownCluster;
  /** `undefined` where the time is that of whoever notices. */
  readonly since: Instant | undefined;
}

/**
 * The clusters that have no record any more, among those that records of this place registered. None is called missing
 * as long as it may be in a record that cannot be used, or that is just being written or removed.
 * @param claimed ids of the clusters that records are about.
 */
export function missingClusters(
  records: RecordSet,
  known: Iterable<KnownCluster>,
  claimed: ReadonlySet<string>,
): readonly MissingCluster[] {
  const files = [...records.byName.values()];
  const hosts = new Map(
    files.flatMap((file) => (file.records[0] === undefined ? [] : [[file.records[0].kubefirstId, file]])),
  );
  const isWhole =
    records.index !== undefined &&
    files.every(({ unusable, records: read }) => unusable.length === 0 || read.length > 0);
  const isSettled = isWhole && (records.index ?? []).every((name) => records.byName.has(name));
  const missing: MissingCluster[] = [];
  for (const cluster of known) {
    if (cluster.deletedAt !== undefined || claimed.has(cluster.clusterId)) continue;
    const host = hosts.get(cluster.managementId);
    if (host === undefined) {
      if (isSettled) missing.push({ cluster, since: undefined });
    } else if (host.unusable.length === 0 && isWhole) {
      missing.push({ cluster, since: host.changedAt });
    }
  }
  return missing;
}
