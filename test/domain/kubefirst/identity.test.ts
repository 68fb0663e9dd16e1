import { describe, expect, test } from 'vitest';
import {
  type ClusterMatchCriteria,
  cutDomain,
  identityOf,
  isManagementType,
  type KnownCluster,
  ledgerIdOf,
  matchCluster,
  shareDomain,
} from '../../../src/domain/kubefirst/identity.ts';

describe('the ledger id of a Kubefirst cluster', () => {
  const identity = {
    managementId: 'mmmmmm',
    kubefirstId: 'wwwwww',
    name: 'one',
    createdSecond: 1_769_850_000,
  };
  const longest = 'n'.repeat(63);

  test('joins its parts by dots, and has a dash for an unknown name', () => {
    expect(ledgerIdOf(identity)).toBe('mmmmmm.wwwwww.one.1769850000');
    expect(ledgerIdOf({ ...identity, name: undefined, createdSecond: 0 })).toBe('mmmmmm.wwwwww.-.0');
  });

  test.each([
    ['mmmmmm.wwwwww.one.1769850000', identity],
    ['mmmmmm.wwwwww.-.1769850000', { ...identity, name: undefined }],
    ['M1.W2.n.0', { managementId: 'M1', kubefirstId: 'W2', name: 'n', createdSecond: 0 }],
    ['mmmmmm.wwwwww.a.b-c.9.1769850000', { ...identity, name: 'a.b-c.9' }],
    [`mmmmmm.wwwwww.${longest}.1769850000`, { ...identity, name: longest }],
    ['mmmmmm.wwwwww.one.999999999999', { ...identity, createdSecond: 999_999_999_999 }],
  ])('is read back into its parts: %s', (id, parts) => {
    expect(identityOf(id)).toEqual(parts);
  });

  test.each([
    '',
    'c1',
    'mmmmmm.wwwwww.1769850000',
    '-mmmmmm.wwwwww.one.1769850000',
    'mmmmmm.wwwwww.one.1769850000 ',
    'mmmmmm.wwwwww.one.',
    'mmmmmm.wwwwww.one.x',
    'mmmmmm.wwwwww.one.1234567890123',
    'mmmmmm.wwwwww.One.1769850000',
    'mmmmmm.wwwwww.-one.1769850000',
    'mmmmmm.wwwwww.one-.1769850000',
    `mmmmmm.wwwwww.n${longest}.1769850000`,
    `${'m'.repeat(33)}.wwwwww.one.1769850000`,
    `mmmmmm.${'w'.repeat(33)}.one.1769850000`,
  ])('is not "%s"', (id) => {
    expect(identityOf(id)).toBeUndefined();
  });
});

describe('two domains', () => {
  test.each([
    ['acme.com', 'acme.com', true],
    ['k8s.acme.com', 'acme.com', true],
    ['acme.com', 'k8s.acme.com', true],
    ['a.acme.com', 'b.acme.com', false],
    ['eu.k8s.acme.com', 'k8s.acme.com', false],
    ['acme.com', 'other.com', false],
    [undefined, 'acme.com', false],
    ['acme.com', undefined, false],
    [undefined, undefined, false],
  ])(
    'can be those of one platform if they are equal or one is the other cut to two labels: %s and %s',
    (one, other, expected) => {
      expect(shareDomain(one, other)).toBe(expected);
    },
  );

  test.each([
    ['eu.k8s.acme.com', 'acme.com'],
    ['acme.com', 'acme.com'],
    ['localhost', 'localhost'],
  ])('are cut to the last two labels: %s', (domain, cut) => {
    expect(cutDomain(domain)).toBe(cut);
  });
});

test.each([
  ['mgmt', true],
  ['bootstrap', true],
  ['workload', false],
  ['workload-cluster', false],
  ['physical', false],
  ['gpu', false],
  ['workload-vcluster', false],
  ['virtual', false],
  ['unlisted', false],
  ['constructor', false],
  [undefined, false],
])('the type %s is that of a management cluster: %s', (clusterType, expected) => {
  expect(isManagementType(clusterType)).toBe(expected);
});

const cluster = (clusterId: string, more: Partial<KnownCluster> = {}): KnownCluster => ({
  managementId: 'mmmmmm',
  kubefirstId: 'wwwwww',
  name: undefined,
  createdSecond: 0,
  clusterId,
  accountId: 'acme',
  billable: true,
  clusterType: 'workload-cluster',
  domain: undefined,
  recordsIn: undefined,
  registeredAt: 1_000,
  deletedAt: undefined,
  ...more,
});
const found = (
  known: readonly KnownCluster[],
  criteria: Partial<ClusterMatchCriteria> = {},
  fallback: 'next' | 'last' = 'next',
) =>
  matchCluster(
    known,
    {
      kubefirstId: 'wwwwww',
      managementId: undefined,
      clusterType: undefined,
      domain: undefined,
      at: 5_000,
      ...criteria,
    },
    fallback,
  ).map(({ clusterId }) => clusterId);

describe('an observation', () => {
  test('is about the cluster with its cluster_id', () => {
    const known = [cluster('one'), cluster('other', { kubefirstId: 'xxxxxx' })];
    expect(found(known)).toEqual(['one']);
    expect(found(known, { kubefirstId: 'xxxxxx' })).toEqual(['other']);
    expect(found(known, { kubefirstId: 'yyyyyy' })).toEqual([]);
    expect(found([])).toEqual([]);
  });

  test('is about a cluster of its management cluster, if it names one', () => {
    const known = [cluster('one'), cluster('other', { managementId: 'nnnnnn' })];
    expect(found(known, { managementId: 'nnnnnn' })).toEqual(['other']);
    expect(found(known, { managementId: 'yyyyyy' })).toEqual([]);
    expect(found(known)).toEqual(['one', 'other']);
  });

  test.each([
    ['mgmt', 'bootstrap', true],
    ['mgmt', 'workload', false],
    ['bootstrap', 'mgmt', true],
    ['bootstrap', 'gpu', false],
    ['workload', 'workload-cluster', true],
    ['workload', 'workload-vcluster', true],
    ['workload', 'physical', true],
    ['workload', 'virtual', true],
    ['workload', 'mgmt', false],
    ['workload-cluster', 'physical', true],
    ['workload-cluster', 'virtual', false],
    ['physical', 'gpu', true],
    ['physical', 'workload-vcluster', false],
    ['gpu', 'virtual', false],
    ['virtual', 'workload-vcluster', true],
    ['virtual', 'workload', true],
    ['mgmt', undefined, true],
    [undefined, 'mgmt', true],
    ['unlisted', 'mgmt', true],
    ['virtual', 'unlisted', true],
    ['constructor', 'mgmt', true],
  ])('can, if its type is %s, be about a cluster of type %s: %s', (observed, clusterType, expected) => {
    expect(found([cluster('one', { clusterType })], { clusterType: observed })).toEqual(
      expected ? ['one'] : [],
    );
  });

  test('is about the cluster with its domain, before one whose domain is cut or unknown', () => {
    const whole = cluster('whole', { domain: 'k8s.acme.com' });
    const cut = cluster('cut', { domain: 'acme.com' });
    const unknown = cluster('unknown');
    expect(found([unknown, cut, whole], { domain: 'k8s.acme.com' })).toEqual(['whole']);
    expect(found([unknown, cut, whole], { domain: 'acme.com' })).toEqual(['cut']);
    expect(found([unknown, cut], { domain: 'k8s.acme.com' })).toEqual(['cut']);
    expect(found([unknown, whole], { domain: 'acme.com' })).toEqual(['whole']);
  });

  test('can be about any cluster if none has its domain, or if it has none', () => {
    const known = [cluster('one', { domain: 'acme.com' }), cluster('other')];
    expect(found(known, { domain: 'third.com' })).toEqual(['one', 'other']);
    expect(found(known)).toEqual(['one', 'other']);
  });

  test('is about the cluster that existed at the time, from its registration until before its deletion', () => {
    const first = cluster('first', { deletedAt: 2_000 });
    const second = cluster('second', { registeredAt: 2_000, deletedAt: 3_000 });
    const known = [first, second];
    for (const fallback of ['next', 'last'] as const) {
      expect(found(known, { at: 1_000 }, fallback)).toEqual(['first']);
      expect(found(known, { at: 1_999 }, fallback)).toEqual(['first']);
      expect(found(known, { at: 2_000 }, fallback)).toEqual(['second']);
      expect(found(known, { at: 2_999 }, fallback)).toEqual(['second']);
    }
  });

  const past = cluster('past', { registeredAt: 1_000, deletedAt: 2_000 });
  const last = cluster('last', { registeredAt: 3_000, deletedAt: 4_000 });
  const next = cluster('next', { registeredAt: 6_000, deletedAt: 6_500 });
  const later = cluster('later', { registeredAt: 7_000 });
  const lives = [later, past, next, last];

  test('between two lives is about the next one, or the last one, as asked', () => {
    expect(found(lives, { at: 5_000 }, 'next')).toEqual(['next']);
    expect(found(lives, { at: 5_000 }, 'last')).toEqual(['last']);
    expect(found(lives, { at: 4_000 }, 'last')).toEqual(['last']);
    expect(found(lives, { at: 2_000 }, 'last')).toEqual(['past']);
    expect(found(lives, { at: 2_000 }, 'next')).toEqual(['last']);
  });

  test('before all lives is about the first, and after them about the last', () => {
    const ended = [past, next, last];
    for (const fallback of ['next', 'last'] as const) {
      expect(found(ended, { at: 500 }, fallback)).toEqual(['past']);
      expect(found(ended, { at: 6_500 }, fallback)).toEqual(['next']);
    }
  });

  test('is ambiguous between clusters that began or ended at one instant', () => {
    const twin = cluster('twin', { registeredAt: 6_000 });
    expect(found([next, twin, past], { at: 5_000 }, 'next')).toEqual(['next', 'twin']);
    const pair = cluster('pair', { registeredAt: 1_500, deletedAt: 4_000 });
    expect(found([last, pair, past], { at: 5_000 }, 'last')).toEqual(['last', 'pair']);
  });
});
