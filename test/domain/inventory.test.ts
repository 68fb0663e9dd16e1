import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hours,
  INVENTORY_STATUSES,
  type InventoryItem,
  isGoneFromInventory,
  type RegisteredCluster,
  reconcileInventory,
  type SourceReading,
} from '../../src/domain/inventory.ts';

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;

const cluster = (clusterId: string, more: Partial<RegisteredCluster> = {}): RegisteredCluster => ({
  clusterId,
  accountId: 'acme',
  name: clusterId,
  connection: `argocd:argocd/${clusterId}`,
  intervals: [{ from: 0, to: null, openedBy: 1, closedBy: null, accountId: 'acme', clusterType: null }],
  ...more,
});
const item = (name: string, more: Partial<InventoryItem> = {}): InventoryItem => ({
  source: 'argocd',
  reference: `argocd:argocd/${name}`,
  name,
  ...more,
});
const argocd = (...items: readonly InventoryItem[]): SourceReading => ({ source: 'argocd', items });

describe('a billed cluster', () => {
  const opinion = (readings: readonly SourceReading[], one: RegisteredCluster) =>
    reconcileInventory(readings, [one], NOW).statuses.get(one.clusterId);

  test('is listed if its source has its reference, or any source has its id', () => {
    expect(opinion([argocd(item('c1'))], cluster('c1'))).toBe('listed');
    const byId = {
      source: 'kubefirst/default',
      items: [item('x', { source: 'kubefirst/default', clusterId: 'c1' })],
    };
    expect(opinion([argocd(), byId], cluster('c1'))).toBe('listed');
  });

  test('is gone if its source was read and does not list it', () => {
    expect(opinion([argocd(item('c2'))], cluster('c1'))).toBe('gone');
    const records = { source: 'kubefirst/default', items: [] };
    expect(
      opinion([records], cluster('c1', { connection: undefined, expectedIn: ['kubefirst/default'] })),
    ).toBe('gone');
  });

  test('is unknown if no source could list it, or one that could was not read', () => {
    expect(opinion([], cluster('c1'))).toBe('unknown');
    expect(opinion([argocd()], cluster('c1', { connection: 'capi:acme/c1' }))).toBe('unknown');
    expect(opinion([argocd()], cluster('c1', { connection: undefined }))).toBe('unknown');
    const unreadable = { source: 'argocd', unreadable: 'answered 403' };
    expect(opinion([unreadable], cluster('c1'))).toBe('unknown');
    expect(opinion([argocd(), unreadable], cluster('c1'))).toBe('unknown');
    expect(opinion([argocd()], cluster('c1', { expectedIn: ['kubefirst/default'] }))).toBe('unknown');
  });

  describe('in the records of a management cluster', () => {
    const source = 'kubefirst/default';
    const connection = 'kubefirst:default/ns/c1';
    const kubefirst = (...ids: readonly string[]): SourceReading => ({
      source,
      items: ids.map((clusterId) =>
        item(clusterId, { source, reference: `kubefirst:${clusterId}`, clusterId }),
      ),
    });
    const hosted = cluster('h1.abc.c1.5', { connection, hostId: 'h1' });

    test.each<[status: string, readings: SourceReading[], one: RegisteredCluster]>([
      ['listed', [kubefirst('h1.abc.c1.5')], hosted],
      ['gone', [kubefirst('h1.def.c2.5')], hosted],
      ['gone-with-host', [kubefirst('h2.def.c2.5')], hosted],
      ['gone-with-host', [kubefirst()], hosted],
      ['gone-with-host', [kubefirst('h1')], hosted],
      ['gone', [kubefirst()], cluster('c1', { connection })],
      ['unknown', [kubefirst()], cluster('c1', { connection: 'kubefirst:default/c1' })],
      ['unknown', [kubefirst()], cluster('c1', { connection: 'kubefirst:other/ns/c1' })],
      ['gone', [{ source: 'kubefirst', items: [] }], cluster('c1', { connection })],
      ['unknown', [kubefirst(), { source, unreadable: 'away' }], hosted],
      ['unknown', [{ source, unreadable: 'away' }, kubefirst()], hosted],
      ['unknown', [{ source, isReadable: true }], hosted],
      ['gone', [kubefirst(), { source, isReadable: true }], cluster('c1', { connection })],
    ])('is %s: %#', (status, readings, one) => {
      expect(opinion(readings, one)).toBe(status);
    });
  });

  test('is listed by its reference although the source of that is not known', () => {
    const other = { source: 'other', items: [item('c1', { source: 'other' })] };
    expect(opinion([other], cluster('c1'))).toBe('listed');
    expect(opinion([other], cluster('c1', { expectedIn: ['argocd'] }))).toBe('listed');
  });

  test('is unknown if one of two sources that must list it was not read', () => {
    const expectedIn = ['kubefirst/default'];
    const read = { source: 'kubefirst/default', items: [] };
    expect(opinion([argocd(), read], cluster('c1', { expectedIn }))).toBe('gone');
    expect(opinion([read], cluster('c1', { expectedIn: [...expectedIn, 'argocd'] }))).toBe('unknown');
  });

  test('raises a condition with the cluster-hours billed since it was first missing', () => {
    const missed = (firstSeen?: number) =>
      reconcileInventory([argocd()], [cluster('c1')], NOW, { firstSeen: () => firstSeen }).conditions;
    expect(missed()).toEqual([
      {
        type: 'billed-but-missing',
        key: 'billed-but-missing:c1',
        clusterId: 'c1',
        accountId: 'acme',
        name: 'c1',
        source: 'argocd',
        since: NOW,
        clusterHours: '0.000000',
      },
    ]);
    expect(missed(NOW - 1.5 * HOUR)).toMatchObject([{ since: NOW - 1.5 * HOUR, clusterHours: '1.500000' }]);
  });

  test('raises no condition while its billing is stopped', () => {
    const held = cluster('c1', {
      intervals: [{ from: 0, to: NOW - 1, openedBy: 1, closedBy: 2, accountId: 'acme', clusterType: null }],
    });
    const { conditions, statuses: opinions } = reconcileInventory([argocd()], [held], NOW);
    expect([conditions, opinions.get('c1')]).toEqual([[], 'gone']);
  });
});

describe('an unregistered cluster', () => {
  const strangers = (
    items: readonly InventoryItem[],
    known: readonly string[] = [],
    registered = [cluster('c1')],
  ) =>
    reconcileInventory([argocd(...items, item('c1'))], registered, NOW, { known: new Set(known) }).conditions;

  test('raises a condition with the cluster-hours since its source lists it', () => {
    expect(strangers([item('c2', { since: NOW - 2.25 * HOUR })])).toEqual([
      {
        type: 'running-but-unregistered',
        key: 'running-but-unregistered:argocd:argocd/c2',
        reference: 'argocd:argocd/c2',
        name: 'c2',
        source: 'argocd',
        since: NOW - 2.25 * HOUR,
        clusterHours: '2.250000',
      },
    ]);
  });

  test('raises one condition, however many sources list it', () => {
    expect(
      strangers([item('c2'), item('c2', { source: 'kubefirst/default', clusterId: 'x.y.c2.0' })]),
    ).toHaveLength(1);
  });

  test('raises no condition if it is pending, or was deleted in the ledger', () => {
    expect(
      strangers(
        [item('c2', { isPending: true }), item('c3'), item('c4', { clusterId: 'id4' })],
        ['argocd:argocd/c3', 'id4'],
      ),
    ).toEqual([]);
  });

  test('raises no condition if its id is registered', () => {
    expect(strangers([item('c2', { clusterId: 'c1' })])).toEqual([]);
  });
});

describe('the conditions of unregistered clusters', () => {
  const found = (items: readonly InventoryItem[], firstSeen?: (key: string) => number | undefined) =>
    reconcileInventory(
      [argocd(...items)],
      [],
      NOW,
      firstSeen === undefined ? {} : { firstSeen },
    ).conditions.map(({ key, since, clusterHours }) => [key, since, clusterHours]);
  const key = (name: string) => `running-but-unregistered:argocd:argocd/${name}`;

  test('are ordered by reference', () => {
    expect(found([item('c3'), item('c1'), item('c2')]).map(([each]) => each)).toEqual(
      ['c1', 'c2', 'c3'].map(key),
    );
  });

  test('begin when the cluster was listed first, or else when it was found first, or else now', () => {
    expect(found([item('c1', { since: NOW - HOUR })], () => NOW - 3 * HOUR)).toEqual([
      [key('c1'), NOW - HOUR, '1.000000'],
    ]);
    expect(found([item('c1')], (each) => (each === key('c1') ? NOW - 3 * HOUR : undefined))).toEqual([
      [key('c1'), NOW - 3 * HOUR, '3.000000'],
    ]);
    expect(found([item('c1')])).toEqual([[key('c1'), NOW, '0.000000']]);
    expect(found([item('c1', { since: NOW + HOUR })])).toEqual([[key('c1'), NOW, '0.000000']]);
  });

  test('have no hours before their time, nor have those of missing clusters', () => {
    const { conditions } = reconcileInventory([argocd()], [cluster('c1')], NOW, {
      firstSeen: () => NOW + HOUR,
    });
    expect(conditions).toMatchObject([{ since: NOW + HOUR, clusterHours: '0.000000' }]);
  });
});

test.each([
  ['listed', false],
  ['gone', true],
  ['gone-with-host', true],
  ['unknown', false],
] as const)('a cluster that is %s is gone from the inventory: %s', (status, isGone) => {
  expect(isGoneFromInventory(status)).toBe(isGone);
  expect(INVENTORY_STATUSES).toContain(status);
});

test.each([
  [0n, '0.000000'],
  [3_600_000n, '1.000000'],
  [1n, '0.000000'],
  [2n, '0.000001'],
])('%i ms are %s hours', (ms, expected) => {
  expect(hours(ms)).toBe(expected);
});

test('each registered cluster has one status and no listed one is missed, whatever is listed and registered', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  const law = (listed: string[], registered: string[], isRead: boolean) => {
    const readings = isRead
      ? [argocd(...listed.map((name) => item(name)))]
      : [{ source: 'argocd', unreadable: 'away' }];
    const { statuses: opinions, conditions } = reconcileInventory(
      readings,
      registered.map((name) => cluster(name)),
      NOW,
    );
    expect([...opinions.keys()]).toEqual(registered);
    const missing = conditions.flatMap((each) =>
      each.type === 'billed-but-missing' ? [each.clusterId] : [],
    );
    const strange = conditions.flatMap((each) =>
      each.type === 'running-but-unregistered' ? [each.name] : [],
    );
    expect(missing).toEqual(isRead ? registered.filter((name) => !listed.includes(name)) : []);
    expect(strange).toEqual(isRead ? listed.filter((name) => !registered.includes(name)).sort() : []);
  };
  fc.assert(fc.property(names, names, fc.boolean(), law));
});
