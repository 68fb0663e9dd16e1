import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GroupedDailyMeter } from '../../../src/domain/billing/daily-usage.ts';
import { GroupedUsageMeter } from '../../../src/domain/billing/usage-meter.ts';
import { DAY_MS, daysOf } from '../../../src/domain/time.ts';

const START = Date.UTC(2026, 1, 26);
/** Instants at the edges of days, next to them, and anywhere. */
const instants = fc.oneof(
  fc.integer({ min: -2, max: 9 }).map((day) => START + day * DAY_MS),
  fc.integer({ min: -2, max: 9 }).map((day) => START + day * DAY_MS + 1),
  fc.integer({ min: -2 * DAY_MS, max: 9 * DAY_MS }).map((ms) => START + ms),
);

/** Clusters with disjoint intervals, the last of which may be open; the order of the intervals is random. */
const clusters = fc.array(
  fc
    .uniqueArray(instants, { minLength: 0, maxLength: 8 })
    .map((edges) => edges.sort((a, b) => a - b))
    .chain((edges) =>
      fc.shuffledSubarray(
        edges.flatMap((from, i) =>
          i % 2 === 0 ? [[from, edges[i + 1] ?? Number.POSITIVE_INFINITY] as const] : [],
        ),
      ),
    )
    .chain((intervals) =>
      fc.tuple(
        ...intervals.map((interval) => fc.tuple(fc.constant(interval), fc.constantFrom('a', 'b', null))),
      ),
    ),
  { maxLength: 6 },
);

describe('usage by day, measured in one pass', () => {
  test('equals the usage that is measured for each day', () => {
    fc.assert(
      fc.property(clusters, instants, instants, (all, a, b) => {
        const days = daysOf({ from: Math.min(a, b), to: Math.max(a, b) });
        const meters = days.map(({ window }) => new GroupedUsageMeter<string | null>(window));
        const daily = new GroupedDailyMeter<string | null>(days.map(({ window }) => window));
        for (const cluster of all) {
          for (const meter of [daily, ...meters]) {
            for (const [[from, to], group] of cluster) meter.add(from, to, group);
            meter.endCluster();
          }
        }
        const measured = Array.from(daily.days(), ({ usage, groups }) => ({
          usage,
          groups: new Map(groups),
        }));
        expect(measured).toEqual(meters.map(({ usage, groups }) => ({ usage, groups: new Map(groups) })));
      }),
      { numRuns: 2_000 },
    );
  });
});
