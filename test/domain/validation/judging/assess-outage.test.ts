import { describe, expect, test } from 'vitest';
import {
  type AssessedCluster,
  assessOutage,
  type Breaker,
  countedRunsAfter,
  massDisappearance,
} from '../../../../src/domain/validation/judging/outage.ts';
import { NO_HISTORY } from '../../../../src/domain/validation/judging/probe-history.ts';

const HOUR = 3_600_000;
const TICK = 100 * HOUR;
const SETTINGS = { outageRatio: 200, outageMinClusters: 2, outageWindow: HOUR, canaries: ['c9', 'c1'] };
const CLOSED: Breaker = { open: false };

const up = (clusterId: string): AssessedCluster => ({
  clusterId,
  history: {
    ...NO_HISTORY,
    last: { state: 'alive', code: 'ok', at: TICK },
    aliveAt: TICK,
    good: { from: TICK, to: TICK, tick: TICK, count: 1 },
  },
});
const streak = (tick: number) => ({
  from: tick,
  to: tick,
  tick,
  count: 1,
  codes: { refused: 1 },
  ambiguousAt: undefined,
});
/** A cluster that has been bad since a tick, and was alive before if `aliveAt` says so. */
const down = (clusterId: string, tick = TICK, aliveAt: number | undefined = 1): AssessedCluster => ({
  clusterId,
  history: {
    ...NO_HISTORY,
    last: { state: 'unreachable', code: 'refused', at: tick },
    aliveAt,
    bad: streak(tick),
  },
});
const neverAlive = (clusterId: string, tick = TICK): AssessedCluster => {
  const { history } = down(clusterId, tick);
  return { clusterId, history: { ...history, aliveAt: undefined } };
};
const silent = (one: AssessedCluster): AssessedCluster => ({
  ...one,
  history: { ...one.history, last: { state: 'unverifiable', code: 'network-down', at: TICK } },
});
const assess = (
  clusters: readonly AssessedCluster[],
  breaker: Breaker = CLOSED,
  settings: Partial<typeof SETTINGS> = {},
) => assessOutage(clusters, breaker, { ...SETTINGS, ...settings }, TICK);
const several = (count: number, make: (id: string) => AssessedCluster) =>
  Array.from({ length: count }, (_, n) => make(`x${n}`));

describe('the breaker', () => {
  test('is closed if no cluster is bad, or if there is none', () => {
    expect(assess([])).toEqual({ open: false });
    expect(assess([up('a'), up('b')])).toEqual({ open: false });
  });

  test('is open if a canary is bad, and names the bad canaries in order', () => {
    expect(assess([down('c9'), down('c1'), down('a'), ...several(20, up)])).toEqual({
      open: true,
      since: TICK,
      why: 'canary',
      bad: 3,
      of: 23,
      canaries: ['c1', 'c9'],
    });
    expect(assess([up('c1'), down('a'), ...several(20, up)])).toEqual({ open: false });
  });

  test('is open if all probed clusters are bad', () => {
    const all = { open: true, since: TICK, why: 'all', canaries: [] };
    expect(assess([down('a')])).toEqual({ ...all, bad: 1, of: 1 });
    expect(assess([down('a'), neverAlive('b'), silent(up('c'))])).toEqual({ ...all, bad: 2, of: 2 });
    expect(assess([down('a'), up('b'), up('c')])).toEqual({ open: false });
  });

  test.each([
    ['fewer than the minimum', 1, 3, false],
    ['the minimum at exactly the share', 2, 8, true],
    ['the minimum below the share', 2, 9, false],
    ['more above the share', 3, 8, true],
  ])('is open if enough clusters turned bad within the window: %s', (_, bad, good, isOpen) => {
    const clusters = [...several(bad, down), ...Array.from({ length: good }, (__, n) => up(`y${n}`))];
    const open = { open: true, since: TICK, why: 'ratio', bad, of: bad + good, canaries: [] };
    expect(assess(clusters)).toEqual(isOpen ? open : { open: false });
  });

  test('counts clusters that turned bad in the window before it opened, and since', () => {
    const turnedAt = (tick: number, breaker: Breaker = CLOSED) =>
      assess([down('a', tick), down('b', tick), ...several(5, up)], breaker).open;
    expect(turnedAt(TICK - HOUR)).toBe(true);
    expect(turnedAt(TICK - HOUR - 1)).toBe(false);
    const open = { open: true, since: TICK - 9 * HOUR, why: 'ratio', bad: 2, of: 7, canaries: [] } as const;
    expect(turnedAt(TICK - 10 * HOUR, open)).toBe(true);
    expect(turnedAt(TICK - 10 * HOUR - 1, open)).toBe(false);
    expect(assess([down('a'), down('b'), ...several(5, up)], open)).toMatchObject({ since: TICK - 9 * HOUR });
    expect(assess([down('a')], open)).toMatchObject({ since: TICK - 9 * HOUR, why: 'all' });
    expect(assess([down('c1'), up('a')], open)).toMatchObject({ since: TICK - 9 * HOUR, why: 'canary' });
  });

  test('counts clusters that never answered for the window after their first probe only', () => {
    const firstAt = (tick: number, breaker: Breaker = CLOSED) =>
      assess([neverAlive('a', tick), neverAlive('b', tick), ...several(5, up)], breaker).open;
    expect(firstAt(TICK - HOUR + 1)).toBe(true);
    expect(firstAt(TICK - HOUR)).toBe(false);
    const open = { open: true, since: TICK - 9 * HOUR, why: 'ratio', bad: 2, of: 7, canaries: [] } as const;
    expect(firstAt(TICK - HOUR, open)).toBe(false);
  });

  test('does not count clusters that have been bad for longer among those that were reachable', () => {
    const old = several(50, (id) => down(id, TICK - 2 * HOUR));
    const turned = [down('a'), down('b')];
    expect(assess([...old, ...turned, ...Array.from({ length: 8 }, (_, n) => up(`y${n}`))])).toEqual({
      open: true,
      since: TICK,
      why: 'ratio',
      bad: 2,
      of: 10,
      canaries: [],
    });
  });

  test('counts clusters that turned bad and can no longer be probed', () => {
    expect(assess([silent(down('a')), silent(down('b')), ...several(5, up)])).toMatchObject({
      open: true,
      why: 'ratio',
      bad: 2,
      of: 7,
    });
  });

  test('stays as it is if no cluster could be probed', () => {
    const nothing: AssessedCluster = { clusterId: 'a', history: NO_HISTORY };
    const open = { open: true, since: 1, why: 'all', bad: 2, of: 2, canaries: [] } as const;
    expect(assess([silent(up('a'))], { ...open, countedRuns: { from: 1, runs: 2 } })).toStrictEqual(open);
    expect(assess([nothing], open)).toEqual(open);
    expect(assess([silent(down('a'))])).toEqual({ open: false });
    expect(assess([], open)).toEqual({ open: false });
  });
});

describe('a mass disappearance from the inventory', () => {
  const settings = { ...SETTINGS, outageMinClusters: 3 };
  const gone = (clusterId: string, goneSince: number): AssessedCluster => ({
    clusterId,
    history: { ...NO_HISTORY, listing: { status: 'gone', listedAt: 1, goneSince, goneRuns: 1 } },
  });
  const listed = (count: number) =>
    several(count, (clusterId) => ({
      clusterId,
      history: {
        ...NO_HISTORY,
        listing: { status: 'listed', listedAt: 1, goneSince: undefined, goneRuns: 0 },
      },
    }));
  const mass = (...clusters: readonly AssessedCluster[]) => [...massDisappearance(clusters, settings)].sort();
  const together = [gone('a', TICK), gone('b', TICK), gone('c', TICK)];

  test('has the clusters that are gone together with enough others, and are a large enough share', () => {
    expect(mass()).toEqual([]);
    expect(mass(...together)).toEqual(['a', 'b', 'c']);
    expect(mass(...together.slice(1))).toEqual([]);
    expect(mass(...together, ...listed(12))).toEqual(['a', 'b', 'c']);
    expect(mass(...together, ...listed(13))).toEqual([]);
  });

  test('counts as listed only clusters that the inventory lists', () => {
    const unlisted = several(50, (clusterId) => ({ clusterId, history: NO_HISTORY }));
    expect(mass(...together, ...listed(12), ...unlisted)).toEqual(['a', 'b', 'c']);
  });

  test('has only clusters within a window before or after each other', () => {
    const [a, b] = [gone('a', TICK), gone('b', TICK + HOUR)];
    expect(mass(gone('c', TICK + HOUR), b, a)).toEqual(['a', 'b', 'c']);
    expect(mass(gone('c', TICK + 2 * HOUR), b, a)).toEqual(['b']);
    expect(mass(gone('c', TICK + 2 * HOUR + 1), b, a)).toEqual([]);
    expect(mass(a, gone('b', TICK + HOUR + 1), gone('c', TICK + HOUR + 1))).toEqual([]);
    const later = [gone('d', TICK + 9 * HOUR), gone('e', TICK + 9 * HOUR), gone('f', TICK + 9 * HOUR)];
    expect(mass(...later, a, b)).toEqual(['d', 'e', 'f']);
  });
});

describe('the runs whose bad verdicts count', () => {
  const since = (from: number, runs: number): Breaker => ({ open: false, countedRuns: { from, runs } });

  test('begin after the last run that withheld facts', () => {
    expect(countedRunsAfter(CLOSED, true, TICK)).toEqual({ countedRuns: { from: TICK, runs: 0 } });
    expect(countedRunsAfter(since(1, 7), true, TICK)).toEqual({ countedRuns: { from: TICK, runs: 0 } });
    expect(countedRunsAfter(since(1, 0), false, TICK)).toEqual({ countedRuns: { from: TICK, runs: 1 } });
    expect(countedRunsAfter(since(1, 7), false, TICK)).toEqual({ countedRuns: { from: 1, runs: 8 } });
  });

  test('are all if no run ever withheld facts', () => {
    expect(Object.keys(countedRunsAfter(CLOSED, false, TICK))).toEqual([]);
  });
});
