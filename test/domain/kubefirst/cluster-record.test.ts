import { describe, expect, test } from 'vitest';
import { type ClusterRecord, readRecord } from '../../../src/domain/kubefirst/cluster-record.ts';
import type { KnownCluster } from '../../../src/domain/kubefirst/identity.ts';
import { clusterOfRecord, ownIdOf, planRecord } from '../../../src/domain/kubefirst/plan-record.ts';
import { connectionOf, KubefirstPolicy } from '../../../src/domain/kubefirst/registration.ts';

const POLICY = KubefirstPolicy.parse({});
const CREATED = 1_769_850_000_000;
const NOW = CREATED + 86_400_000;

const record = (more: Partial<ClusterRecord> = {}): ClusterRecord => ({
  managementId: 'mmmmmm',
  kubefirstId: 'wwwwww',
  name: 'one',
  clusterType: 'workload-cluster',
  status: 'provisioned',
  cloudProvider: undefined,
  region: undefined,
  domain: 'one.acme.example',
  createdAt: CREATED,
  ...more,
});
const known = (more: Partial<KnownCluster> = {}): KnownCluster => ({
  managementId: 'mmmmmm',
  kubefirstId: 'wwwwww',
  name: undefined,
  createdSecond: 1_769_860_000,
  clusterId: 'mmmmmm.wwwwww.-.1769860000',
  accountId: 'acme',
  billable: true,
  clusterType: 'physical',
  domain: 'one.acme.example',
  recordsIn: undefined,
  registeredAt: CREATED + 10_000_000,
  deletedAt: undefined,
  ...more,
});
const plan = (one: ClusterRecord, cluster?: KnownCluster) =>
  planRecord(one, cluster?.clusterId ?? ownIdOf(one), cluster, NOW, POLICY, 'default').map(
    ({ fact }) => fact.type,
  );

describe('a record', () => {
  const fields = {
    cluster_id: 'mmmmmm',
    cluster_name: 'kubefirst',
    cluster_type: 'mgmt',
    status: 'provisioned',
  };
  const created = (creation_timestamp: unknown) =>
    readRecord('r', { ...fields, creation_timestamp }).records[0]?.createdAt;

  test('has its creation in seconds or milliseconds, as string or number, or not at all', () => {
    expect([created('1769850000'), created('1769850000123'), created(1_769_850_000)]).toEqual([
      CREATED,
      CREATED + 123,
      CREATED,
    ]);
    for (const none of [undefined, null, '', '0', '17698', 'yesterday', '-1769850000', '9'.repeat(40), {}]) {
      expect(created(none)).toBeUndefined();
    }
  });

  test('contains workload clusters of its management cluster, of which a virtual one may share its id', () => {
    const workload_clusters = [
      { cluster_id: 'mmmmmm', cluster_name: 'development', cluster_type: 'workload-vcluster' },
      { cluster_id: 'no id', cluster_name: 'x' },
      17,
    ];
    const { records, unusable } = readRecord('r', { ...fields, workload_clusters });
    expect(records.map(ownIdOf)).toEqual(['mmmmmm.mmmmmm.kubefirst.0', 'mmmmmm.mmmmmm.development.0']);
    expect(unusable).toEqual([
      { name: 'r/workload_clusters/1', field: 'cluster_id' },
      { name: 'r/workload_clusters/2', field: 'record' },
    ]);
  });

  test('is parsed without a status if it is unknown', () => {
    const [one] = readRecord('r', { ...fields, status: 'hibernating' }).records;
    expect([one?.status, plan(one as ClusterRecord)]).toEqual([undefined, []]);
  });
});

describe('a record plan', () => {
  test('registers a cluster once it is provisioned, and not before', () => {
    expect(plan(record())).toEqual(['ClusterRegistered']);
    for (const status of ['provisioning', 'error', 'deleting', 'deleted', undefined] as const)
      expect(plan(record({ status }))).toEqual([]);
  });

  test('ends the bill for the status deleted, and never for error', () => {
    const registered = known({ name: 'one', clusterId: ownIdOf(record()), registeredAt: CREATED });
    expect(plan(record({ status: 'deleting' }), registered)).toEqual(['ClusterDeletionRequested']);
    expect(plan(record({ status: 'deleted' }), registered)).toEqual(['ClusterDeleted']);
    for (const status of ['provisioned', 'provisioning', 'error'] as const)
      expect(plan(record({ status }), registered)).toEqual([]);
    expect(plan(record({ status: 'deleted' }), { ...registered, deletedAt: NOW })).toEqual([]);
  });
});

describe('the cluster of a record', () => {
  const of = (one: ClusterRecord, ...clusters: readonly KnownCluster[]) =>
    clusterOfRecord(one, clusters, NOW).clusterId;

  test('is the one that telemetry registered, if it is the only possible one', () => {
    expect(of(record(), known())).toBe(known().clusterId);
    expect(of(record(), known({ managementId: 'wwwwww' }))).toBe(known().clusterId);
    expect(plan(record(), known())).toEqual(['ClusterRegistered', 'ClusterChanged']);
  });

  test('is a new one if telemetry differs in management cluster, time or kind, or is ambiguous', () => {
    const own = ownIdOf(record());
    expect(of(record(), known({ managementId: 'xxxxxx' }))).toBe(own);
    expect(of(record(), known({ registeredAt: CREATED - 1 }))).toBe(own);
    expect(of(record(), known({ clusterType: 'virtual' }))).toBe(own);
    expect(of(record(), known(), known({ clusterId: 'mmmmmm.wwwwww.-.1769860001' }))).toBe(own);
    expect(of(record(), known(), known({ name: 'one', clusterId: own, registeredAt: CREATED }))).toBe(own);
  });

  test('is identified by its domain if it shares its id with its host', () => {
    const shared = record({ kubefirstId: 'mmmmmm', clusterType: 'workload-vcluster' });
    const seen = known({ kubefirstId: 'mmmmmm', clusterType: 'virtual' });
    expect(of(shared, seen)).toBe(seen.clusterId);
    expect(of(shared, { ...seen, domain: undefined })).toBe(ownIdOf(shared));
  });
});

test('a billed cluster has the Secret of Argo CD as connection, and a free one has none', () => {
  expect(connectionOf(POLICY, record())).toBe('argocd:argocd/one');
  expect(connectionOf(POLICY, record({ clusterType: 'mgmt' }))).toBeUndefined();
  expect(connectionOf({ ...POLICY, connection: null }, record())).toBeUndefined();
});
