import { describe, expect, test } from 'vitest';
import { GroupedDailyMeter } from '../../../src/domain/billing/daily-usage.ts';
import { at } from '../facts/facts.ts';

const day = (from: string, to: string) => ({ from: at(from), to: at(to) });
/** The first day begins and the last one ends at noon. */
const days = [
  day('2026-01-10T12:00:00Z', '2026-01-11'),
  day('2026-01-11', '2026-01-12'),
  day('2026-01-12', '2026-01-12T12:00:00Z'),
];

type Billed = readonly [from: string, to: string | null, group: string];

/** Measures clusters, and lists for each day: clusters, seconds, peak, clusters at its start and end, groups. */
function measured(...clusters: readonly (readonly Billed[])[]) {
  const meter = new GroupedDailyMeter<string>(days);
  for (const cluster of clusters) {
    for (const [from, to, group] of cluster)
      meter.add(at(from), to === null ? Number.POSITIVE_INFINITY : at(to), group);
    meter.endCluster();
  }
  return Array.from(meter.days(), ({ usage, groups }) => [
    usage.billableClusters,
    usage.clusterSeconds,
    usage.peakClusters,
    usage.clustersAtStart,
    usage.clustersAtEnd,
    groups.map(([group, own]) => `${group} ${own.billableClusters} ${own.clusterSeconds}`),
  ]);
}

describe('usage by day', () => {
  test('is zero on each day if nothing is billed in them', () => {
    const before = [['2026-01-10', '2026-01-10T12:00:00Z', 'eu'] as const];
    const after = [['2026-01-12T12:00:00Z', null, 'eu'] as const];
    const nothing = [0, '0.000', 0, 0, 0, []];
    expect(measured(before, after)).toEqual([nothing, nothing, nothing]);
  });

  test('has the part of an interval that is in each day', () => {
    expect(measured([['2026-01-01', null, 'eu']])).toEqual([
      [1, '43200.000', 1, 1, 1, ['eu 1 43200.000']],
      [1, '86400.000', 1, 1, 1, ['eu 1 86400.000']],
      [1, '43200.000', 1, 1, 1, ['eu 1 43200.000']],
    ]);
  });

  test('ends with the day before if an interval ends at midnight, and starts with the day if it starts then', () => {
    expect(
      measured(
        [['2026-01-10T13:00:00Z', '2026-01-11', 'eu']],
        [['2026-01-12', '2026-01-12T00:00:00.001Z', 'asia']],
      ),
    ).toEqual([
      [1, '39600.000', 1, 0, 1, ['eu 1 39600.000']],
      [0, '0.000', 0, 0, 0, []],
      [1, '0.001', 1, 1, 0, ['asia 1 0.001']],
    ]);
  });

  test('counts a cluster once a day, whole and in each of its groups, in whatever order its intervals come', () => {
    expect(
      measured(
        [
          ['2026-01-11T20:00:00Z', '2026-01-11T21:00:00Z', 'eu'],
          ['2026-01-11T01:00:00Z', '2026-01-11T02:00:00Z', 'asia'],
          ['2026-01-11T03:00:00Z', '2026-01-11T04:00:00Z', 'eu'],
        ],
        [['2026-01-11T03:30:00Z', '2026-01-11T03:40:00Z', 'eu']],
      )[1],
    ).toEqual([2, '11400.000', 2, 0, 0, ['eu 2 7800.000', 'asia 1 3600.000']]);
  });

  test('has the peak of its own day, where ends come before starts at one instant', () => {
    expect(
      measured(
        [['2026-01-10T13:00:00Z', '2026-01-10T14:00:00Z', 'eu']],
        [['2026-01-10T13:30:00Z', '2026-01-11T06:00:00Z', 'eu']],
        [['2026-01-11T06:00:00Z', '2026-01-11T07:00:00Z', 'eu']],
        [['2026-01-12T06:00:00Z', '2026-01-12T07:00:00Z', 'eu']],
        [['2026-01-12T06:00:00Z', null, 'eu']],
        [['2026-01-12T06:30:00Z', null, 'eu']],
      ).map(([, , peak, atStart, atEnd]) => [peak, atStart, atEnd]),
    ).toEqual([
      [2, 0, 1],
      [1, 1, 0],
      [3, 0, 2],
    ]);
  });

  test('is empty without days', () => {
    const meter = new GroupedDailyMeter<string>([]);
    meter.add(at('2026-01-01'), Number.POSITIVE_INFINITY, 'eu');
    expect([...meter.days()]).toEqual([]);
  });
});
