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

  test('says its creation in seconds or milliseconds, as text or number, or not at all', () => {
    expect([created('1769850000'), created('1769850000123'), created(1_769_850_000)]).toEqual([
      CREATED,
      CREATED + 123,
      CREATED,
    ]);
    for (const none of [undefined, null, '', '0', '17698', 'yesterday', '-1769850000', '9'.repeat(40), {}]) {
      expect(created(none)).toBeUndefined();
    }
  });

  test('holds workload clusters of its own management cluster, and a virtual one may have its id', () => {
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

  test('of a state that is not known counts as of none', () => {
    const [one] = readRecord('r', { ...fields, status: 'hibernating' }).records;
    expect([one?.status, plan(one as ClusterRecord)]).toEqual([undefined, []]);
  });
});

describe('what a record says', () => {
  test('is a registration once it is provisioned, and nothing before', () => {
    expect(plan(record())).toEqual(['ClusterRegistered']);
    for (const status of ['provisioning', 'error', 'deleting', 'deleted', undefined] as const)
      expect(plan(record({ status }))).toEqual([]);
  });

  test('ends the bill where it says deleted, and never where it says error', () => {
    const registered = known({ name: 'one', clusterId: ownIdOf(record()), registeredAt: CREATED });
    expect(plan(record({ status: 'deleting' }), registered)).toEqual(['ClusterDeletionRequested']);
    expect(plan(record({ status: 'deleted' }), registered)).toEqual(['ClusterDeleted']);
    for (const status of ['provisioned', 'provisioning', 'error'] as const)
      expect(plan(record({ status }), registered)).toEqual([]);
    expect(plan(record({ status: 'deleted' }), { ...registered, deletedAt: NOW })).toEqual([]);
  });
});

describe('the cluster that a record is about', () => {
  const of = (one: ClusterRecord, ...clusters: readonly KnownCluster[]) =>
    clusterOfRecord(one, clusters, NOW).clusterId;

  test('is the one that telemetry has registered, where it can be no other', () => {
    expect(of(record(), known())).toBe(known().clusterId);
    expect(of(record(), known({ managementId: 'wwwwww' }))).toBe(known().clusterId);
    expect(plan(record(), known())).toEqual(['ClusterRegistered']);
  });

  test('is one of its own where telemetry speaks of another management cluster, time or kind, or of several', () => {
    const own = ownIdOf(record());
    expect(of(record(), known({ managementId: 'xxxxxx' }))).toBe(own);
    expect(of(record(), known({ registeredAt: CREATED - 1 }))).toBe(own);
    expect(of(record(), known({ clusterType: 'virtual' }))).toBe(own);
    expect(of(record(), known(), known({ clusterId: 'mmmmmm.wwwwww.-.1769860001' }))).toBe(own);
    expect(of(record(), known(), known({ name: 'one', clusterId: own, registeredAt: CREATED }))).toBe(own);
  });

  test('that shares its id with its host is known by its domain alone', () => {
    const shared = record({ kubefirstId: 'mmmmmm', clusterType: 'workload-vcluster' });
    const seen = known({ kubefirstId: 'mmmmmm', clusterType: 'virtual' });
    expect(of(shared, seen)).toBe(seen.clusterId);
    expect(of(shared, { ...seen, domain: undefined })).toBe(ownIdOf(shared));
  });
});

test('a billed cluster is reached by the Secret that Argo CD has for it, and a free one by none', () => {
  expect(connectionOf(POLICY, record())).toBe('argocd:argocd/one');
  expect(connectionOf(POLICY, record({ clusterType: 'mgmt' }))).toBeUndefined();
  expect(connectionOf({ ...POLICY, connection: null }, record())).toBeUndefined();
});
