import { describe, expect, test } from 'vitest';
import type { ClusterRecord } from '../../../src/domain/kubefirst/cluster-record.ts';
import type { KnownCluster } from '../../../src/domain/kubefirst/identity.ts';
import {
  clusterOfRecord,
  ownIdOf,
  planDeletion,
  planRecord,
} from '../../../src/domain/kubefirst/plan-record.ts';
import { KubefirstPolicy } from '../../../src/domain/kubefirst/registration.ts';

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
const OWN = 'mmmmmm.wwwwww.one.1769850000';

test('the id of a record has the second of its creation, or 0 if that is unknown', () => {
  expect(ownIdOf(record())).toBe(OWN);
  expect(ownIdOf(record({ createdAt: CREATED + 999 }))).toBe(OWN);
  expect(ownIdOf(record({ createdAt: undefined }))).toBe('mmmmmm.wwwwww.one.0');
});

describe('the facts of a record', () => {
  const planned = (one: ClusterRecord, cluster?: KnownCluster) =>
    planRecord(one, cluster?.clusterId ?? OWN, cluster, NOW, POLICY, 'default');
  const types = (one: ClusterRecord, cluster?: KnownCluster) =>
    planned(one, cluster).map(({ fact }) => fact.type);
  const described = {
    name: 'one',
    clusterType: 'workload-cluster',
    labels: { 'kubefirst/domain': 'one.acme.example', 'kubefirst/records': 'default' },
    billable: true,
    connection: 'argocd:argocd/one',
  };
  const registered = {
    type: 'ClusterRegistered',
    clusterId: OWN,
    effectiveAt: CREATED,
    accountId: 'mmmmmm',
    ...described,
  };

  test('register a provisioned cluster at its creation', () => {
    expect(planned(record())).toEqual([{ fact: registered, id: 'registered', isTimedByLedger: false }]);
  });

  test('register a cluster without a time of creation at the last change of its record', () => {
    expect(planned(record({ createdAt: undefined }))).toEqual([
      { fact: { ...registered, effectiveAt: NOW }, id: 'registered', isTimedByLedger: true },
    ]);
  });

  test.each(['provisioning', 'error', 'deleting', 'deleted', undefined] as const)(
    'do not register a cluster that may never have existed: %s',
    (status) => {
      expect(planned(record({ status }))).toEqual([]);
    },
  );

  test('register a cluster of telemetry again in its account, and repeat the attributes after its registration', () => {
    const clusterId = 'mmmmmm.wwwwww.-.1769860000';
    expect(planned(record(), known())).toEqual([
      {
        fact: { ...registered, clusterId, accountId: 'acme' },
        id: 'registered',
        isTimedByLedger: false,
      },
      {
        fact: { type: 'ClusterChanged', clusterId, effectiveAt: CREATED + 10_000_001, ...described },
        id: 'adopted',
        isTimedByLedger: false,
      },
    ]);
  });

  test('do not register a cluster again that has its name, or that was created no earlier', () => {
    expect(types(record(), known({ name: 'one' }))).toEqual([]);
    expect(types(record(), known({ registeredAt: CREATED }))).toEqual([]);
    expect(types(record(), known({ registeredAt: CREATED - 1 }))).toEqual([]);
    expect(types(record(), known({ registeredAt: CREATED + 1 }))).toEqual([
      'ClusterRegistered',
      'ClusterChanged',
    ]);
    expect(types(record({ createdAt: undefined }), known())).toEqual([]);
  });

  const own = known({ name: 'one', clusterId: OWN, registeredAt: CREATED });

  test.each([
    ['deleting', 'ClusterDeletionRequested', 'deletion-requested'],
    ['deleted', 'ClusterDeleted', 'deleted'],
  ] as const)('end the bill step by step when it is %s', (status, type, id) => {
    expect(planned(record({ status }), own)).toEqual([
      { fact: { type, clusterId: OWN, effectiveAt: NOW }, id, isTimedByLedger: true },
    ]);
    expect(planned(record({ status }), { ...own, deletedAt: NOW })).toEqual([]);
  });

  test('are in the order of their time if a cluster of telemetry is adopted while it is deleted', () => {
    expect(types(record({ status: 'deleting' }), known())).toEqual([
      'ClusterRegistered',
      'ClusterChanged',
      'ClusterDeletionRequested',
    ]);
  });

  test.each(['provisioned', 'provisioning', 'error', undefined] as const)(
    'never end the bill when it is %s',
    (status) => {
      expect(planned(record({ status }), own)).toEqual([]);
    },
  );

  test('include its deletion if it disappears after a request', () => {
    expect(planDeletion(OWN, NOW)).toEqual({
      fact: { type: 'ClusterDeleted', clusterId: OWN, effectiveAt: NOW },
      id: 'deleted',
      isTimedByLedger: true,
    });
  });
});

describe('the cluster of a record', () => {
  const idFor = (one: ClusterRecord, ...clusters: readonly KnownCluster[]) =>
    clusterOfRecord(one, clusters, NOW).clusterId;
  const FOUND = 'mmmmmm.wwwwww.-.1769860000';

  test('is the one with its id', () => {
    const own = known({ name: 'one', clusterId: OWN, registeredAt: CREATED });
    expect(clusterOfRecord(record(), [known(), own], NOW)).toEqual({ clusterId: OWN, cluster: own });
  });

  test('is a new one if none is known', () => {
    expect(clusterOfRecord(record(), [], NOW)).toEqual({ clusterId: OWN, cluster: undefined });
    for (const clusterType of ['mgmt', 'workload-vcluster'])
      expect(idFor(record({ kubefirstId: 'mmmmmm', clusterType }))).toBe('mmmmmm.mmmmmm.one.1769850000');
  });

  test('is the one that telemetry registered, if it is the only possible one', () => {
    expect(clusterOfRecord(record(), [known()], NOW)).toEqual({ clusterId: FOUND, cluster: known() });
    expect(idFor(record(), known({ managementId: 'wwwwww' }))).toBe(FOUND);
    expect(idFor(record(), known({ domain: undefined }))).toBe(FOUND);
  });

  test.each([
    ['has another management cluster', { managementId: 'xxxxxx' }],
    ['is of another kind', { clusterType: 'virtual' }],
    ['has a name', { name: 'other' }],
    ['was seen before the creation', { registeredAt: CREATED - 1 }],
    ['was deleted at the creation', { registeredAt: CREATED, deletedAt: CREATED }],
  ])('is a new one if the one of telemetry %s', (_, more) => {
    expect(clusterOfRecord(record(), [known(more)], NOW)).toEqual({ clusterId: OWN, cluster: undefined });
  });

  test('is the one that telemetry saw at its creation or later, also if that is deleted by now', () => {
    expect(idFor(record(), known({ registeredAt: CREATED }))).toBe(FOUND);
    expect(idFor(record(), known({ registeredAt: CREATED, deletedAt: CREATED + 1 }))).toBe(FOUND);
  });

  test('is one that still exists if its time of creation is unknown', () => {
    const undated = record({ createdAt: undefined });
    expect(idFor(undated, known())).toBe(FOUND);
    expect(idFor(undated, known({ deletedAt: NOW - 1 }))).toBe('mmmmmm.wwwwww.one.0');
  });

  test('is a new one if telemetry registered two that it can be', () => {
    expect(idFor(record(), known(), known({ clusterId: 'mmmmmm.wwwwww.-.1769860001' }))).toBe(OWN);
  });

  test('is the next one of telemetry rather than a deleted one', () => {
    const deleted = known({ clusterId: 'deleted', deletedAt: NOW - 1 });
    const next = known({ clusterId: 'next', registeredAt: NOW + 1 });
    expect(idFor(record(), deleted, next)).toBe('next');
  });

  test('is identified by its domain if it shares its id with its host', () => {
    const shared = record({ kubefirstId: 'mmmmmm', clusterType: 'workload-vcluster' });
    const seen = known({ kubefirstId: 'mmmmmm', clusterType: 'virtual' });
    expect(idFor(shared, seen)).toBe(FOUND);
    expect(idFor(shared, { ...seen, domain: undefined })).toBe('mmmmmm.mmmmmm.one.1769850000');
  });

  test('is not the management cluster with its id if its type is unknown', () => {
    const unlisted = record({ kubefirstId: 'mmmmmm', clusterType: 'unlisted' });
    const host = known({ kubefirstId: 'mmmmmm', clusterType: 'mgmt', domain: 'other.example' });
    expect(idFor(unlisted, host)).toBe('mmmmmm.mmmmmm.one.1769850000');
  });
});
