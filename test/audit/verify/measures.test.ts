import { describe, expect, test } from 'vitest';
import type { BilledSpan } from '../../../src/audit/verify/billed.ts';
import { difference, measure, noUsage, sumOf, typesIn } from '../../../src/audit/verify/measures.ts';

const span = (from: number, to: number, clusterType: string | null = null): BilledSpan => ({
  from,
  to,
  accountId: 'acme',
  clusterType,
});

const NOTHING = {
  billableClusters: 0,
  clusterSeconds: '0.000',
  peakClusters: 0,
  clustersAtStart: 0,
  clustersAtEnd: 0,
  averageClusters: '0.000000',
};

describe('the usage in a window of 10 seconds', () => {
  const usage = (...clusters: BilledSpan[][]) => measure(clusters, 10_000, 20_000).usage;

  test('is nothing without clusters', () => {
    expect(usage()).toEqual(NOTHING);
    expect(usage([])).toEqual(NOTHING);
    expect(noUsage(10_000, 20_000)).toEqual(NOTHING);
  });

  test('has a cluster that is billed all the time at its start and at its end', () => {
    expect(usage([span(0, Number.POSITIVE_INFINITY)])).toEqual({
      billableClusters: 1,
      clusterSeconds: '10.000',
      peakClusters: 1,
      clustersAtStart: 1,
      clustersAtEnd: 1,
      averageClusters: '1.000000',
    });
  });

  test('has not at its start a cluster that begins 1 ms later, nor at its end one that ends 1 ms earlier', () => {
    expect(usage([span(10_001, 20_000)], [span(10_000, 19_999)])).toEqual({
      billableClusters: 2,
      clusterSeconds: '19.998',
      peakClusters: 2,
      clustersAtStart: 1,
      clustersAtEnd: 1,
      averageClusters: '1.999800',
    });
  });

  test('has no cluster that ends as it begins, or begins as it ends', () => {
    expect(usage([span(0, 10_000)], [span(20_000, 30_000)])).toEqual(NOTHING);
  });

  test('counts a cluster once, however often it is billed', () => {
    expect(usage([span(11_000, 12_000), span(13_000, 15_001)])).toEqual({
      ...NOTHING,
      billableClusters: 1,
      clusterSeconds: '3.001',
      peakClusters: 1,
      averageClusters: '0.300100',
    });
  });

  test('has as its peak the largest number at one instant, without those that end then', () => {
    expect(usage([span(11_000, 13_000)], [span(13_000, 15_000)], [span(12_000, 14_000)])).toMatchObject({
      billableClusters: 3,
      peakClusters: 2,
    });
    expect(usage([span(11_000, 13_000)], [span(13_000, 15_000)])).toMatchObject({ peakClusters: 1 });
    expect(usage([span(13_000, 15_000)], [span(11_000, 13_000)])).toMatchObject({ peakClusters: 1 });
    expect(usage([span(13_000, 15_000)], [span(11_000, 14_000)], [span(12_000, 13_001)])).toMatchObject({
      peakClusters: 3,
    });
  });

  test('has each type with its own clusters, in order, first the clusters without a type', () => {
    const { byType } = measure(
      [
        [span(10_000, 12_000, 'b'), span(12_000, 13_000, 'a')],
        [span(0, 11_000)],
        [span(15_000, 20_000, 'b')],
      ],
      10_000,
      20_000,
    );
    const one = { billableClusters: 1, peakClusters: 1, clustersAtStart: 0, clustersAtEnd: 0 };
    const second = { clusterSeconds: '1.000', averageClusters: '0.100000' };
    expect(byType).toEqual([
      { ...one, ...second, clusterType: null, clustersAtStart: 1 },
      { ...one, ...second, clusterType: 'a' },
      {
        clusterType: 'b',
        billableClusters: 2,
        clusterSeconds: '7.000',
        peakClusters: 1,
        clustersAtStart: 1,
        clustersAtEnd: 1,
        averageClusters: '0.700000',
      },
    ]);
  });

  test('has no type that was billed outside of the window only', () => {
    expect(measure([[span(0, 10_000, 'a')]], 10_000, 20_000).byType).toEqual([]);
  });
});

describe('the average number of clusters', () => {
  const average = (billed: number, window: number) =>
    measure([[span(0, billed)]], 0, window).usage.averageClusters;

  test.each([
    // Billed ms, ms of the window, and the average that is nearest.
    [1, 3, '0.333333'],
    [2, 3, '0.666667'],
    [1, 2_000_000, '0.000000'],
    [3, 2_000_000, '0.000002'],
    [5, 2_000_000, '0.000002'],
    [7, 2_000_000, '0.000004'],
    [1, 4_000_000, '0.000000'],
    [3, 4_000_000, '0.000001'],
  ])('for %i of %i ms is %s: of two that are equally near, the even one', (billed, window, expected) => {
    expect(average(billed, window)).toBe(expected);
  });

  test('is 0 in an empty window', () => {
    expect(average(0, 0)).toBe('0.000000');
    expect(noUsage(5, 4).averageClusters).toBe('0.000000');
  });
});

test('the types of a list are there once, in order of their code units, none first', () => {
  const types = (...list: (string | null)[]) => typesIn(list.map((clusterType) => ({ clusterType })));
  expect(types('b', 'a', null, 'b', 'Z')).toEqual([null, 'Z', 'a', 'b']);
  expect(types('b', 'a')).toEqual(['a', 'b']);
  expect(types()).toEqual([]);
});

describe('amounts', () => {
  const amounts = (billableClusters: number, clusterSeconds: string) => ({
    billableClusters,
    clusterSeconds,
  });

  test('are added exactly', () => {
    expect(sumOf([])).toEqual(amounts(0, '0.000'));
    expect(sumOf([amounts(1, '0.999'), amounts(2, '0.002'), amounts(-4, '-10.001')])).toEqual(
      amounts(-1, '-9.000'),
    );
    expect(sumOf([amounts(1, '9007199254740993.001'), amounts(1, '0.001')])).toEqual(
      amounts(2, '9007199254740993.002'),
    );
  });

  test('differ by what has to be added to the first', () => {
    expect(difference(amounts(3, '5.500'), amounts(1, '5.250'))).toEqual(amounts(-2, '-0.250'));
    expect(difference(amounts(1, '0.001'), amounts(4, '12.000'))).toEqual(amounts(3, '11.999'));
    expect(difference(amounts(1, '1.000'), amounts(1, '1.000'))).toEqual(amounts(0, '0.000'));
  });
});
