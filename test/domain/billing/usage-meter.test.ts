import { describe, expect, test } from 'vitest';
import {
  ALL_TYPES,
  clippedWindow,
  compareTypes,
  GroupedUsageMeter,
  meterOf,
  peakBetween,
  UsageMeter,
  usageFrom,
  usageOf,
} from '../../../src/domain/billing/usage-meter.ts';
import { periodWindow } from '../../../src/domain/time.ts';
import { at, bill, deleted, registered, resumed, stopped } from '../facts/facts.ts';

const january = periodWindow('2026-01');
const always = bill(registered('2025-06-01')).intervals;
const untilTheTenth = bill(registered('2025-06-01'), deleted('2026-01-10')).intervals;
const fromTheTenth = bill(registered('2026-01-10')).intervals;

describe('the usage of a month', () => {
  test('is all zeros without clusters', () => {
    expect(usageOf([], january).usage).toEqual({
      billableClusters: 0,
      clusterSeconds: '0.000',
      peakClusters: 0,
      clustersAtStart: 0,
      clustersAtEnd: 0,
      averageClusters: '0.000000',
    });
  });

  test('counts a cluster once, however often it was stopped and resumed', () => {
    const onAndOff = bill(
      registered('2026-01-01'),
      stopped('2026-01-02'),
      resumed('2026-01-03'),
      stopped('2026-01-04'),
      resumed('2026-01-05'),
    ).intervals;
    expect(usageOf([onAndOff], january).usage).toMatchObject({ billableClusters: 1, peakClusters: 1 });
  });

  test('does not count a cluster that was billed only before it or only after it', () => {
    const before = bill(registered('2025-12-01'), deleted('2026-01-01')).intervals;
    const after = bill(registered('2026-02-01')).intervals;
    expect(usageOf([before, after], january).usage).toMatchObject({ billableClusters: 0, peakClusters: 0 });
  });

  test('counts at its start the clusters billed at its first instant, not those that start a millisecond later', () => {
    const late = bill(registered('2026-01-01T00:00:00.001Z')).intervals;
    expect(usageOf([always, late], january).usage.clustersAtStart).toBe(1);
  });

  test('counts at its end the clusters billed at its last millisecond, not those that end before', () => {
    const early = bill(registered('2026-01-01'), deleted('2026-01-31T23:59:59.999Z')).intervals;
    const onTheStroke = bill(registered('2026-01-01'), deleted('2026-02-01')).intervals;
    expect(usageOf([early, onTheStroke], january).usage.clustersAtEnd).toBe(1);
  });

  test('peaks at one if the next cluster starts as the last one ends', () => {
    expect(usageOf([untilTheTenth, fromTheTenth], january).usage).toMatchObject({
      billableClusters: 2,
      peakClusters: 1,
    });
  });

  test('can peak in the middle of the window', () => {
    const middle = bill(registered('2026-01-05'), deleted('2026-01-06')).intervals;
    expect(usageOf([always, untilTheTenth, middle], january).usage.peakClusters).toBe(3);
  });
});

describe('a window in progress', () => {
  test('is counted up to the given instant', () => {
    const counted = clippedWindow(january, at('2026-01-11'));
    expect(usageOf([always], counted).usage).toMatchObject({
      clusterSeconds: '864000.000',
      averageClusters: '1.000000',
    });
  });

  test('is never counted past its end or before its start', () => {
    expect(clippedWindow(january, at('2026-03-01'))).toEqual(january);
    expect(clippedWindow(january, at('2025-03-01'))).toEqual({ from: january.from, to: january.from });
  });

  test('has no usage before it begins', () => {
    expect(usageOf([always], clippedWindow(january, january.from)).usage).toMatchObject({
      billableClusters: 0,
      clustersAtStart: 0,
      clustersAtEnd: 0,
      averageClusters: '0.000000',
    });
  });
});

describe('the usage of a window that ends later than its measures', () => {
  const measures = {
    billableClusters: 5,
    billed: 1_000n,
    peakClusters: 4,
    clustersAtStart: 1,
    clustersAtEnd: 3,
  };

  test('has the time that the clusters at the end are billed until then, and the same counts', () => {
    expect(usageFrom(measures, { from: 0, to: 1_000 }, 10)).toEqual({
      billableClusters: 5,
      clusterSeconds: '1.030',
      peakClusters: 4,
      clustersAtStart: 1,
      clustersAtEnd: 3,
      averageClusters: '1.030000',
    });
  });

  test('has less time if the window ends earlier', () => {
    expect(usageFrom(measures, { from: 0, to: 1_000 }, -10).clusterSeconds).toBe('0.970');
  });

  test('is that of the measures if it ends with them', () => {
    expect(usageFrom(measures, { from: 0, to: 1_000 })).toEqual(
      usageFrom(measures, { from: 0, to: 1_000 }, 0),
    );
  });
});

describe('cluster types', () => {
  test('are all meant by a star', () => {
    expect(ALL_TYPES).toBe('*');
  });

  test.each([
    ['a', 'b', -1],
    ['b', 'a', 1],
    ['a', 'a', 0],
    [null, 'a', -1],
    ['a', null, 1],
    [null, null, 0],
    ['B', 'a', -1],
  ])('%j and %j compare as %d', (a, b, order) => {
    expect(compareTypes(a, b)).toBe(order);
  });
});

describe('a meter of a window from 10 to 20', () => {
  const measured = (...intervals: readonly (readonly [since: number, until: number])[]) => {
    const meter = new UsageMeter({ from: 10, to: 20 });
    for (const [since, until] of intervals) {
      meter.add(since, until);
      meter.endCluster();
    }
    return meter.measures;
  };

  test.each<
    readonly [since: number, until: number, isInside: boolean, billed: bigint, atStart: number, atEnd: number]
  >([
    [0, 10, false, 0n, 0, 0],
    [0, 11, true, 1n, 1, 0],
    [10, 20, true, 10n, 1, 1],
    [11, 19, true, 8n, 0, 0],
    [19, Number.POSITIVE_INFINITY, true, 1n, 0, 1],
    [20, 30, false, 0n, 0, 0],
    [15, 15, false, 0n, 0, 0],
  ])(
    'measures of an interval from %d to %d what is inside',
    (since, until, isInside, billed, atStart, atEnd) => {
      const meter = new UsageMeter({ from: 10, to: 20 });
      expect(meter.add(since, until)).toBe(isInside);
      meter.endCluster();
      const count = isInside ? 1 : 0;
      expect(meter.measures).toEqual({
        billableClusters: count,
        billed,
        peakClusters: count,
        clustersAtStart: atStart,
        clustersAtEnd: atEnd,
      });
    },
  );

  test('sorts the instants of its clusters as numbers to find the peak', () => {
    expect(measured([10, 12], [13, 15], [12, 14], [11, 13]).peakClusters).toBe(2);
    expect(measured([18, 20], [11, 13], [12, 15]).peakClusters).toBe(2);
    expect(measured([11, 12], [15, 16], [15, 17]).peakClusters).toBe(2);
  });

  test('is copied with all that it has measured, and apart from then on', () => {
    const meter = new UsageMeter({ from: 10, to: 20 });
    meter.add(10, 20);
    meter.endCluster();
    meter.add(12, 14);
    const copy = meter.clone();
    expect(copy.measures).toEqual(meter.measures);
    copy.endCluster();
    copy.add(13, 15);
    copy.endCluster();
    expect(copy.measures).toEqual({
      billableClusters: 3,
      billed: 14n,
      peakClusters: 3,
      clustersAtStart: 1,
      clustersAtEnd: 1,
    });
    expect(meter.measures).toMatchObject({ billableClusters: 1, billed: 12n, peakClusters: 2 });
  });
});

describe('a meter by group of a window from 10 to 20', () => {
  const grouped = (
    ...clusters: readonly (readonly (readonly [from: number, to: number, group: string])[])[]
  ) => {
    const meter = new GroupedUsageMeter<string>({ from: 10, to: 20 });
    for (const cluster of clusters) {
      for (const interval of cluster) meter.add(...interval);
      meter.endCluster();
    }
    const counts = (groups: readonly (readonly [string, { billableClusters: number }])[]) =>
      groups.map(([group, { billableClusters }]) => [group, billableClusters] as const);
    const { measures } = meter;
    expect(counts(measures.groups)).toEqual(counts(meter.groups));
    expect(meter.usage.billableClusters).toBe(measures.whole.billableClusters);
    return { whole: measures.whole.billableClusters, groups: counts(measures.groups) };
  };

  test('has no groups without billed time in it', () => {
    expect(grouped()).toEqual({ whole: 0, groups: [] });
    expect(grouped([[0, 10, 'eu']], [[20, 30, 'us']])).toEqual({ whole: 0, groups: [] });
  });

  test('has one group while all billed time is of one group', () => {
    expect(grouped([[10, 12, 'eu']], [[11, 15, 'eu']])).toEqual({ whole: 2, groups: [['eu', 2]] });
    expect(grouped([[0, 10, 'us']], [[11, 15, 'eu']])).toEqual({ whole: 1, groups: [['eu', 1]] });
    expect(grouped([[11, 15, 'eu']], [[0, 10, 'us']], [[20, 30, 'us']])).toEqual({
      whole: 1,
      groups: [['eu', 1]],
    });
  });

  test('counts a cluster that changed its group in both, and once as a whole', () => {
    const moved = [
      [10, 12, 'eu'],
      [12, 14, 'us'],
      [14, 16, 'eu'],
    ] as const;
    expect(grouped(moved, [[11, 20, 'eu']], [[0, 10, 'asia']], [[15, 20, 'asia']])).toEqual({
      whole: 3,
      groups: [
        ['eu', 2],
        ['us', 1],
        ['asia', 1],
      ],
    });
  });

  test('reads the group of each interval, which goes on without an end', () => {
    const clusters: { from: number; to: number | null; region: string }[][] = [
      [{ from: 0, to: null, region: 'eu' }],
      [{ from: 15, to: 16, region: 'us' }],
    ];
    const { measures } = meterOf(clusters, ({ region }) => region, { from: 10, to: 20 });
    expect(measures.whole).toMatchObject({ billableClusters: 2, billed: 11n, clustersAtEnd: 1 });
    expect(measures.groups).toMatchObject([
      ['eu', { billableClusters: 1, billed: 10n }],
      ['us', { billableClusters: 1, billed: 1n }],
    ]);
  });
});

describe('the peak', () => {
  test.each<readonly [string, atStart: number, starts: number[], ends: number[], most: number]>([
    ['nothing starts', 3, [], [11, 12], 3],
    ['nothing ends', 1, [11, 12], [], 3],
    ['each starts as another one ends', 1, [11, 12], [11, 12], 1],
    ['each starts before another one ends', 1, [11, 12], [12, 13], 2],
    ['many end before the next start', 3, [15], [11, 12], 3],
    ['all end before many start', 1, [15, 15, 16], [11, 17], 3],
  ])('is right if %s', (_, atStart, starts, ends, most) => {
    expect(peakBetween(atStart, Float64Array.from(starts), Float64Array.from(ends))).toBe(most);
  });
});
