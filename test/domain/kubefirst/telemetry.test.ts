import { describe, expect, test } from 'vitest';
import type { KnownCluster } from '../../../src/domain/kubefirst/identity.ts';
import { KubefirstPolicy } from '../../../src/domain/kubefirst/registration.ts';
import {
  isClusterEvent,
  judgeTelemetry,
  LIFECYCLE_EVENTS,
  LooseInstant,
  TrackEvent,
} from '../../../src/domain/kubefirst/telemetry.ts';

const POLICY = KubefirstPolicy.parse({});
const INSTALLED = 'kubefirst.cluster_install.completed';
const DELETE_STARTED = 'kubefirst.cluster_delete.started';
const DELETED = 'kubefirst.cluster_delete.completed';
const HEARTBEAT = 'kubefirst.heartbeat';
const AT = 1_769_850_000_123;
const workload = { cluster_id: 'wwwwww', parent_cluster_id: 'mmmmmm' };

describe('the events that are about a cluster', () => {
  test.each([INSTALLED, DELETE_STARTED, DELETED, HEARTBEAT])('include %s', (event) => {
    expect(isClusterEvent(event)).toBe(true);
  });

  test.each(['kubefirst.installed', 'kubefirst.cluster_install.failed', '', undefined, 17])(
    'do not include %s',
    (event) => {
      expect(isClusterEvent(event)).toBe(false);
    },
  );

  test('change the bill, but for the heartbeat', () => {
    expect(LIFECYCLE_EVENTS).toEqual([INSTALLED, DELETE_STARTED, DELETED]);
  });
});

describe('a Track event', () => {
  const parse = (properties: object, more: object = {}) =>
    TrackEvent.safeParse({ event: INSTALLED, properties: { cluster_id: 'wwwwww', ...properties }, ...more });

  test('is read with the properties of its cluster, and without any other', () => {
    const properties = {
      cluster_id: 'wwwwww',
      cluster_type: 'workload',
      cloud_provider: 'civo',
      domain: 'acme.com',
      parent_cluster_id: 'mmmmmm',
    };
    const envelope = { event: INSTALLED, messageId: 'm-1', timestamp: '2026-01-31T09:00:00.123+00:00' };
    const sent = { ...envelope, userId: 'machine-1', properties: { ...properties, machine_id: 'secret' } };
    expect(TrackEvent.parse(sent)).toEqual({ ...envelope, timestamp: AT, properties });
  });

  test.each(['cluster_type', 'cloud_provider', 'domain', 'parent_cluster_id'])(
    'has no %s if the sender left it out, empty, null or unset',
    (property) => {
      for (const value of [undefined, '', null, 'unset'])
        expect(parse({ [property]: value }).data?.properties).toEqual({ cluster_id: 'wwwwww' });
    },
  );

  test.each([
    ['cluster_type', 64],
    ['cloud_provider', 64],
    ['domain', 253],
    ['parent_cluster_id', 32],
    ['cluster_id', 32],
  ])('has a %s of at most %i characters', (property, max) => {
    const longest = 'n'.repeat(max);
    expect(parse({ [property]: longest }).data?.properties).toMatchObject({ [property]: longest });
    expect(parse({ [property]: `n${longest}` }).success).toBe(false);
  });

  test.each(['event', 'messageId'])('has a %s of at most 255 characters', (field) => {
    const longest = 'n'.repeat(255);
    expect(parse({}, { [field]: longest }).data).toMatchObject({ [field]: longest });
    expect(parse({}, { [field]: `n${longest}` }).success).toBe(false);
  });

  test('need not have a messageId or a timestamp', () => {
    for (const nothing of [{}, { messageId: null, timestamp: null }])
      expect(parse({}, nothing).success).toBe(true);
  });

  test.each(['', 'no-id', 'a b', 17, undefined])('is refused with the cluster_id %s', (cluster_id) => {
    expect(parse({ cluster_id }).success).toBe(false);
  });

  test('is refused with the reason for a wrong cluster_id', () => {
    expect(parse({ cluster_id: 'no-id' }).error?.issues).toMatchObject([
      { path: ['properties', 'cluster_id'], message: 'must be a cluster_id of 1 to 32 letters and digits' },
    ]);
  });
});

describe('a time of telemetry', () => {
  test.each([
    ['2026-01-31T09:00:00Z', 1_769_850_000_000],
    ['2026-01-31T09:00:00.1Z', 1_769_850_000_100],
    ['2026-01-31T09:00:00.123Z', AT],
    ['2026-01-31T09:00:00.123999999Z', AT],
    ['2026-01-31T10:00:00.123456789+01:00', AT],
    [`2026-01-31T09:00:00.123${'9'.repeat(40)}Z`, AT],
  ])('may have any number of fraction digits: %s', (text, instant) => {
    expect(LooseInstant.parse(text)).toBe(instant);
  });

  test.each(['2026-01-31', '2026-01-31T09:00:00', '2026-02-30T00:00:00Z', ''])('is not "%s"', (text) => {
    expect(LooseInstant.safeParse(text).error?.issues).toMatchObject([
      { code: 'custom', message: 'must be an RFC 3339 time with a zone' },
    ]);
  });

  test('has at most 64 characters', () => {
    const text = (length: number) => `2026-01-31T09:00:00.${'1'.repeat(length - 21)}Z`;
    expect(LooseInstant.safeParse(text(64)).success).toBe(true);
    expect(LooseInstant.safeParse(text(65)).success).toBe(false);
  });
});

const known = (more: Partial<KnownCluster> = {}): KnownCluster => ({
  managementId: 'mmmmmm',
  kubefirstId: 'wwwwww',
  name: undefined,
  createdSecond: 1_769_840_000,
  clusterId: 'mmmmmm.wwwwww.-.1769840000',
  accountId: 'acme',
  billable: true,
  clusterType: undefined,
  domain: undefined,
  recordsIn: undefined,
  registeredAt: AT - 10_000_000,
  deletedAt: undefined,
  ...more,
});
const judge = (event: string, properties: object, ...clusters: readonly KnownCluster[]) =>
  judgeTelemetry(TrackEvent.parse({ event, properties }), AT, clusters, POLICY);
const gone = known({ deletedAt: AT - 1_000 });
const later = known({ clusterId: 'later', registeredAt: AT + 5_000 });
const other = known({ clusterId: 'other' });

describe('a heartbeat', () => {
  test('says that a registered cluster was seen', () => {
    expect(judge(HEARTBEAT, workload, known())).toEqual({ kind: 'heartbeat', clusterId: known().clusterId });
  });

  test('says that a cluster runs which nobody bills, if none is registered', () => {
    expect(judge(HEARTBEAT, workload)).toEqual({ kind: 'stranger', kubefirstId: 'wwwwww' });
  });

  test('is ignored if it can be of several clusters', () => {
    expect(judge(HEARTBEAT, workload, known(), other)).toEqual({ kind: 'ignored' });
  });

  test('between two lives of a cluster is about the next one', () => {
    expect(judge(HEARTBEAT, workload, gone, later)).toEqual({ kind: 'heartbeat', clusterId: 'later' });
  });
});

describe('an installation', () => {
  const registered = { type: 'ClusterRegistered', effectiveAt: AT, name: 'wwwwww', billable: true };

  test('registers a cluster to the account of its management cluster, with all that the event says', () => {
    const all = { ...workload, cluster_type: 'workload', cloud_provider: 'civo', domain: 'acme.com' };
    expect(judge(INSTALLED, all)).toEqual({
      kind: 'record',
      fact: {
        ...registered,
        clusterId: 'mmmmmm.wwwwww.-.1769850000',
        accountId: 'mmmmmm',
        clusterType: 'workload',
        cloudProvider: 'civo',
        labels: { 'kubefirst/domain': 'acme.com' },
      },
    });
  });

  test.each([
    ['is its own parent', { parent_cluster_id: 'wwwwww' }],
    ['names no parent', {}],
  ])('registers a cluster as its own management cluster if it %s', (_, more) => {
    expect(judge(INSTALLED, { cluster_id: 'wwwwww', ...more })).toMatchObject({
      fact: { clusterId: 'wwwwww.wwwwww.-.1769850000', accountId: 'wwwwww' },
    });
  });

  test('registers a management cluster as its own, whatever its parent is, and free', () => {
    expect(judge(INSTALLED, { ...workload, cluster_type: 'mgmt' })).toMatchObject({
      fact: { clusterId: 'wwwwww.wwwwww.-.1769850000', accountId: 'wwwwww', billable: false },
    });
  });

  test('is about the cluster of any management cluster if it is its own parent', () => {
    expect(judge(INSTALLED, { cluster_id: 'wwwwww', parent_cluster_id: 'wwwwww' }, known())).toEqual({
      kind: 'ignored',
    });
  });

  test('registers a new cluster if the former one is deleted, also at the same instant', () => {
    const clusterId = 'mmmmmm.wwwwww.-.1769850000';
    expect(judge(INSTALLED, workload, gone)).toMatchObject({ kind: 'record', fact: { clusterId } });
    expect(judge(INSTALLED, workload, known({ deletedAt: AT }))).toMatchObject({ fact: { clusterId } });
  });

  test('is ignored for a cluster that is registered already, at that time or earlier', () => {
    expect(judge(INSTALLED, workload, known())).toEqual({ kind: 'ignored' });
    expect(judge(INSTALLED, workload, known({ registeredAt: AT }))).toEqual({ kind: 'ignored' });
    expect(judge(INSTALLED, workload, known({ deletedAt: AT + 1 }))).toEqual({ kind: 'ignored' });
  });

  test('registers a cluster again, in its account, if it was installed earlier than registered', () => {
    const late = known({ registeredAt: AT + 1 });
    expect(judge(INSTALLED, workload, late)).toEqual({
      kind: 'record',
      fact: { ...registered, clusterId: 'mmmmmm.wwwwww.-.1769840000', accountId: 'acme' },
    });
    expect(judge(INSTALLED, workload, gone, late)).toMatchObject({ fact: { clusterId: late.clusterId } });
  });

  test('is ignored if it is earlier than a cluster whose record has its time of creation', () => {
    expect(judge(INSTALLED, workload, { ...later, name: 'one' })).toEqual({ kind: 'ignored' });
  });

  test('is ignored if it can be of several clusters that were registered later', () => {
    expect(judge(INSTALLED, workload, later, { ...later, clusterId: 'twin' })).toEqual({ kind: 'ignored' });
  });
});

describe.each([
  [DELETE_STARTED, 'ClusterDeletionRequested'],
  [DELETED, 'ClusterDeleted'],
])('the event %s', (event, type) => {
  const fact = { type, clusterId: 'mmmmmm.wwwwww.-.0', effectiveAt: AT };

  test('is recorded for the only cluster that it can be about', () => {
    expect(judge(event, workload, known())).toEqual({
      kind: 'record',
      fact: { ...fact, clusterId: 'mmmmmm.wwwwww.-.1769840000' },
    });
    expect(judge(event, workload, known({ registeredAt: AT }))).toMatchObject({ kind: 'record' });
    expect(judge(event, workload, known({ deletedAt: AT + 1 }))).toMatchObject({ kind: 'record' });
  });

  test('is kept for an operator if the cluster is unknown, or was registered later', () => {
    expect(judge(event, workload)).toEqual({ kind: 'unknown', fact });
    expect(judge(event, workload, known({ registeredAt: AT + 1 }))).toEqual({ kind: 'unknown', fact });
    expect(judge(event, { cluster_id: 'wwwwww' })).toEqual({
      kind: 'unknown',
      fact: { ...fact, clusterId: 'wwwwww.wwwwww.-.0' },
    });
  });

  test('is ignored if the cluster is deleted already, also if it was created again later', () => {
    expect(judge(event, workload, gone)).toEqual({ kind: 'ignored' });
    expect(judge(event, workload, known({ deletedAt: AT }))).toEqual({ kind: 'ignored' });
    expect(judge(event, workload, gone, later)).toEqual({ kind: 'ignored' });
  });

  test('is kept for an operator with the candidates if it can be about several clusters', () => {
    expect(judge(event, workload, known(), other)).toEqual({
      kind: 'ambiguous',
      fact,
      candidates: ['mmmmmm.wwwwww.-.1769840000', 'other'],
    });
  });
});
