import { describe, expect, test } from 'vitest';
import { type Leaf, readFact, UnreadableLeaf } from '../../../src/audit/verify/billing-fact.ts';
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

test.each<[what: string, type: string, fields: object]>([
  ['a type that is not known', 'ClusterRegistered.v3', data],
  ['the name of another cluster', 'ClusterDeleted', { ...data, clusterId: 'c2' }],
  ['a day that does not exist', 'ClusterDeleted', { ...data, effectiveAt: '2026-02-30T00:00:00.000Z' }],
  ['a registration without an account', 'ClusterRegistered.v2', { ...data, accountId: undefined }],
  ['an account that is not text', 'ClusterChanged', { ...data, accountId: 1 }],
  ['a type of cluster that is not text', 'ClusterChanged', { ...data, clusterType: null }],
  ['a billable that is neither true nor false', 'ClusterChanged', { ...data, billable: 'no' }],
  ['a cause that is not known', 'BillingStopped', { ...data, cause: 'budget' }],
  ['a void that names no fact', 'FactVoided', { ...data, voids: undefined }],
])('a leaf with %s cannot be read', (_, type, fields) => {
  expect(() => read(type, fields)).toThrow(UnreadableLeaf);
});
