import { describe, expect, test } from 'vitest';
import {
  accountNamedIn,
  clusterOf,
  type Leaf,
  readFact,
  readInstant,
  UnreadableLeaf,
} from '../../../src/audit/verify/billing-fact.ts';
import { FACT_TYPES, recordedType } from '../../../src/domain/facts/fact.ts';

const id = '00000000-0000-4000-8000-000000000001';
const data = {
  clusterId: 'c1',
  effectiveAt: '2026-01-01T00:00:00.000Z',
  accountId: 'acme',
  billable: true,
  cause: 'manual',
  voids: id,
};
const read = (type: string, fields: object) =>
  readFact(1, 'c1', { id, type, data: fields } as unknown as Leaf);

test.each([...FACT_TYPES, ...FACT_TYPES.map(recordedType)])('the verifier reads a recorded %s', (type) => {
  expect(read(type, data)).toMatchObject({ position: 1, at: Date.parse('2026-01-01') });
});

describe('a registration as the first release recorded it', () => {
  test('does not say that the cluster is billable, since that was recorded of every one', () => {
    expect(read('ClusterRegistered', data).billable).toBeUndefined();
  });

  test('says that the cluster is free', () => {
    expect(read('ClusterRegistered', { ...data, billable: false }).billable).toBe(false);
  });
});

test('a registration as it is recorded now says that the cluster is billable only if it carries that', () => {
  const { billable: _, ...silent } = data;
  expect(read('ClusterRegistered.v2', data).billable).toBe(true);
  expect(read('ClusterRegistered.v2', silent).billable).toBeUndefined();
});

test.each<[what: string, type: string, fields: object, why: string]>([
  [
    'a type that is not known',
    'ClusterRegistered.v3',
    data,
    '"ClusterRegistered.v3" is not a type of fact that this verifier knows',
  ],
  [
    'the name of another cluster',
    'ClusterDeleted',
    { ...data, clusterId: 'c2' },
    'it names another cluster than its stream',
  ],
  [
    'a day that does not exist',
    'ClusterDeleted',
    { ...data, effectiveAt: '2026-02-30T00:00:00.000Z' },
    'it has no readable effectiveAt',
  ],
  [
    'a registration without an account',
    'ClusterRegistered.v2',
    { ...data, accountId: undefined },
    'it names no account',
  ],
  ['an account that is not text', 'ClusterChanged', { ...data, accountId: 1 }, 'its accountId is not text'],
  [
    'a type of cluster that is not text',
    'ClusterChanged',
    { ...data, clusterType: null },
    'its clusterType is not text',
  ],
  [
    'a billable that is neither true nor false',
    'ClusterChanged',
    { ...data, billable: 'no' },
    'its billable is neither true nor false',
  ],
  [
    'a cause that is not known',
    'BillingStopped',
    { ...data, cause: 'budget' },
    'it has no cause that this verifier knows',
  ],
  [
    'a resumption without a cause',
    'BillingResumed',
    { ...data, cause: undefined },
    'it has no cause that this verifier knows',
  ],
  [
    'a void that names no fact',
    'FactVoided',
    { ...data, voids: undefined },
    'it does not name the fact that it voids',
  ],
])('a leaf with %s cannot be read', (_, type, fields, why) => {
  expect(() => read(type, fields)).toThrow(new UnreadableLeaf(why));
});

const bare = { clusterId: 'c1', effectiveAt: '2026-01-01T00:00:00.000Z' };
const nothingElse = {
  accountId: undefined,
  clusterType: undefined,
  billable: undefined,
  cause: undefined,
  voids: undefined,
};

test.each<[type: string, fields: object, read: object]>([
  ['ClusterRegistered', { accountId: 'acme' }, { type: 'registered', accountId: 'acme' }],
  [
    'ClusterRegistered.v2',
    { accountId: 'acme', clusterType: 'a' },
    { type: 'registered', accountId: 'acme', clusterType: 'a' },
  ],
  ['ClusterChanged', { billable: false }, { type: 'changed', billable: false }],
  ['ClusterChanged', { billable: true }, { type: 'changed', billable: true }],
  ['ClusterChanged', {}, { type: 'changed' }],
  ['ClusterDeleted', {}, { type: 'deleted' }],
  ['BillingStopped', { cause: 'manual' }, { type: 'stopped', cause: 'manual' }],
  ['BillingStopped', { cause: 'unreachable' }, { type: 'stopped', cause: 'unreachable' }],
  ['BillingResumed', { cause: 'missing' }, { type: 'resumed', cause: 'missing' }],
  ['BillingStopped', { cause: 'deleted' }, { type: 'stopped' }],
  ['FactVoided', { voids: id }, { type: 'voided', voids: id }],
  ['ClusterDeletionRequested', { accountId: 1, voids: 2 }, { type: 'other' }],
  ['ClusterDeletionConfirmed', {}, { type: 'other' }],
  ['ClusterDeletionCancelled', {}, { type: 'other' }],
  ['ClusterDeletionFailed', {}, { type: 'other' }],
  ['ClusterUnreachable', { cause: 'x' }, { type: 'other' }],
  ['ClusterReachable', {}, { type: 'other' }],
])('a %s with %j is read as %j', (type, fields, fact) => {
  expect(read(type, { ...bare, ...fields })).toEqual({
    eventId: id,
    position: 1,
    clusterId: 'c1',
    at: 1_767_225_600_000,
    ...nothingElse,
    ...fact,
  });
});

test('an unreadable leaf is known by the name of its error', () => {
  expect(new UnreadableLeaf('x').name).toBe('UnreadableLeaf');
});

test.each([
  ['cluster-c1', 'c1'],
  ['cluster-', ''],
  ['a-cluster-c1', undefined],
  ['period-2026-01', undefined],
])('the stream %s is of the cluster %s', (stream, cluster) => {
  expect(clusterOf(stream)).toBe(cluster);
});

test.each<[type: string, fields: object, accountId: string | undefined]>([
  ['ClusterRegistered', { accountId: 'acme' }, 'acme'],
  ['ClusterRegistered.v2', { accountId: 'acme' }, 'acme'],
  ['ClusterChanged', { accountId: 'acme' }, 'acme'],
  ['ClusterChanged', {}, undefined],
  ['ClusterChanged', { accountId: 1 }, undefined],
  ['ClusterChanged', Object.create({ accountId: 'acme' }), undefined],
  ['ClusterDeleted', { accountId: 'acme' }, undefined],
  ['ClusterRegistered.v9', { accountId: 'acme' }, undefined],
])('a %s with %j gives its cluster to %s', (type, fields, accountId) => {
  expect(accountNamedIn({ type, data: fields } as unknown as Leaf)).toBe(accountId);
});

test.each<[text: unknown, instant: number | undefined]>([
  ['1970-01-01T00:00:00.001Z', 1],
  ['2024-02-29T23:59:59.999Z', 1_709_251_199_999],
  ['2026-02-29T00:00:00.000Z', undefined],
  ['2026-13-01T00:00:00.000Z', undefined],
  ['2026-01-01T24:00:00.000Z', undefined],
  ['2026-01-01T00:00:00Z', undefined],
  ['2026-01-01T00:00:00.000+00:00', undefined],
  ['+002026-01-01T00:00:00.000Z', undefined],
  ['+010000-01-01T00:00:00.000Z', undefined],
  ['-000001-01-01T00:00:00.000Z', undefined],
  ['2026-01-01T00:00:00.000Z ', undefined],
  [1, undefined],
  [undefined, undefined],
])('the text %o is the instant %o', (text, instant) => {
  expect(readInstant(text)).toBe(instant);
});
