import { describe, expect, test } from 'vitest';
import { clippedWindow, extrapolated, usageOf } from '../../../src/domain/billing/usage-meter.ts';
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

describe('measures at another instant', () => {
  const measures = (billed: bigint, clustersAtEnd: number) => ({
    billableClusters: 5,
    billed,
    peakClusters: 4,
    clustersAtStart: 1,
    clustersAtEnd,
  });

  test('have the time that the clusters at the end are billed until then, whole and by group', () => {
    const groups = [['eu', measures(400n, 2)] as const, ['us', measures(600n, 1)] as const];
    expect(extrapolated({ whole: measures(1_000n, 3), groups }, 10)).toEqual({
      whole: measures(1_030n, 3),
      groups: [
        ['eu', measures(420n, 2)],
        ['us', measures(610n, 1)],
      ],
    });
  });

  test('have less time at an earlier instant', () => {
    expect(extrapolated({ whole: measures(1_000n, 3), groups: [] }, -10).whole).toEqual(measures(970n, 3));
  });

  test('have the same object for the only group as for the whole', () => {
    const whole = measures(1_000n, 3);
    const later = extrapolated({ whole, groups: [['eu', whole]] }, 10);
    expect(later.groups).toEqual([['eu', measures(1_030n, 3)]]);
    expect(later.groups[0]?.[1]).toBe(later.whole);
  });
});
