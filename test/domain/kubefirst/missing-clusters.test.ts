import { describe, expect, test } from 'vitest';
import type { ClusterRecord } from '../../../src/domain/kubefirst/cluster-record.ts';
import type { KnownCluster } from '../../../src/domain/kubefirst/identity.ts';
import { missingClusters, type RecordFile } from '../../../src/domain/kubefirst/missing-clusters.ts';

const CHANGED = 1_769_900_000_000;
const host: ClusterRecord = {
  managementId: 'mmmmmm',
  kubefirstId: 'mmmmmm',
  name: 'kubefirst',
  clusterType: 'mgmt',
  status: 'provisioned',
  cloudProvider: undefined,
  region: undefined,
  domain: undefined,
  createdAt: undefined,
};
const workload: ClusterRecord = {
  ...host,
  kubefirstId: 'wwwwww',
  name: 'one',
  clusterType: 'workload-cluster',
};
const cluster: KnownCluster = {
  managementId: 'mmmmmm',
  kubefirstId: 'wwwwww',
  name: 'one',
  createdSecond: 1_769_850_000,
  clusterId: 'mmmmmm.wwwwww.one.1769850000',
  accountId: 'acme',
  billable: true,
  clusterType: 'workload-cluster',
  domain: undefined,
  recordsIn: 'default',
  registeredAt: 1_769_850_000_000,
  deletedAt: undefined,
};
const file = (records: readonly ClusterRecord[], ...unusable: readonly string[]): RecordFile => ({
  records,
  unusable: unusable.map((field) => ({ name: 'kubefirst', field })),
  changedAt: CHANGED,
});
const missing = (
  index: readonly string[] | undefined,
  files: Readonly<Record<string, RecordFile>>,
  known = cluster,
  ...claimed: readonly string[]
) => missingClusters({ index, byName: new Map(Object.entries(files)) }, [known], new Set(claimed));

describe('a registered cluster without a record', () => {
  test('is missing since the last change of the record of its management cluster', () => {
    expect(missing(['kubefirst'], { kubefirst: file([host]) })).toEqual([{ cluster, since: CHANGED }]);
  });

  test('is missing since an unknown time if its management cluster has no record either', () => {
    expect(missing([], {})).toEqual([{ cluster, since: undefined }]);
    const other = { ...host, kubefirstId: 'nnnnnn', managementId: 'nnnnnn' };
    expect(missing(['other'], { other: file([other, workload]) })).toEqual([{ cluster, since: undefined }]);
    expect(missing(['empty'], { empty: file([]) })).toEqual([{ cluster, since: undefined }]);
  });

  test('is not missing if it is deleted, or if a record claims it', () => {
    const files = { kubefirst: file([host]) };
    expect(missing(['kubefirst'], files, { ...cluster, deletedAt: CHANGED })).toEqual([]);
    expect(missing(['kubefirst'], files, cluster, cluster.clusterId)).toEqual([]);
    expect(missing(['kubefirst'], files, cluster, 'another')).toHaveLength(1);
  });

  test('is not missing before the index was read', () => {
    expect(missing(undefined, { kubefirst: file([host]) })).toEqual([]);
    expect(missing(undefined, {})).toEqual([]);
  });

  test('is not missing while the index names a record that is not there', () => {
    expect(missing(['other'], {})).toEqual([]);
    expect(
      missing(['kubefirst', 'other'], { kubefirst: file([{ ...host, kubefirstId: 'nnnnnn' }]) }),
    ).toEqual([]);
  });

  test('is missing from a management cluster that has its record, even if another record is being written', () => {
    expect(missing(['kubefirst', 'other'], { kubefirst: file([host]) })).toEqual([
      { cluster, since: CHANGED },
    ]);
  });

  test('is not missing while a record cannot be used, in which it may be', () => {
    expect(missing(['kubefirst'], { kubefirst: file([host], 'cluster_id') })).toEqual([]);
    expect(missing(['kubefirst', 'other'], { kubefirst: file([host]), other: file([], 'record') })).toEqual(
      [],
    );
    expect(missing(['other'], { other: file([], 'record') })).toEqual([]);
  });

  test('is missing even if a workload cluster of another management cluster cannot be used', () => {
    const other = file([{ ...host, kubefirstId: 'nnnnnn', managementId: 'nnnnnn' }], 'cluster_id');
    expect(missing(['kubefirst', 'other'], { kubefirst: file([host]), other })).toEqual([
      { cluster, since: CHANGED },
    ]);
  });
});
