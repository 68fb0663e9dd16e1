import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunningUsage } from '../../../src/domain/billing/running-usage.ts';
import { usageOf } from '../../../src/domain/billing/usage-meter.ts';

const counted = { from: 10, to: 50 };
const EDGES = Array.from({ length: 61 }, (_, i) => i);

interface Added {
  readonly cluster: number;
  readonly since: number;
  readonly until: number;
}

const intervals: fc.Arbitrary<Added[]> = fc.array(
  fc
    .record({ cluster: fc.nat(3), since: fc.nat(59), length: fc.nat(30), isOpen: fc.boolean() })
    .map(({ cluster, since, length, isOpen }) => ({
      cluster,
      since,
      until: isOpen ? Number.POSITIVE_INFINITY : Math.min(60, since + length),
    })),
  { maxLength: 12 },
);

/** Returns the usage of intervals: each is measured as a cluster of its own, and the billable clusters are counted by their ids. */
function usageOfAll(added: readonly Added[]) {
  const { usage } = usageOf(
    added.map(({ since, until }) => [
      {
        from: since,
        to: until === Number.POSITIVE_INFINITY ? null : until,
        openedBy: 1,
        closedBy: null,
        clusterType: null,
        accountId: 'acme',
      },
    ]),
    counted,
  );
  const inside = added.filter(({ since, until }) => Math.max(since, 10) < Math.min(until, 50));
  return { ...usage, billableClusters: new Set(inside.map(({ cluster }) => cluster)).size };
}

describe('the running usage of a window', () => {
  test('equals the usage of all intervals that were added and not removed', () => {
    fc.assert(
      fc.property(intervals, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (added, removed) => {
        const running = new RunningUsage(counted, EDGES);
        for (const { cluster, since, until } of added) running.add(cluster, since, until, 1);
        expect(running.usage).toEqual(usageOfAll(added));
        for (const [i, { cluster, since, until }] of added.entries())
          if (removed[i] === true) running.add(cluster, since, until, -1);
        expect(running.usage).toEqual(usageOfAll(added.filter((_, i) => removed[i] !== true)));
      }),
    );
  });

  test('is the same object until something changes', () => {
    const running = new RunningUsage(counted, EDGES);
    running.add(1, 20, 30, 1);
    const { usage } = running;
    running.add(2, 0, 10, 1);
    running.add(2, 50, 60, 1);
    expect(running.usage).toBe(usage);
    running.add(2, 20, 30, 1);
    expect(running.usage).not.toBe(usage);
  });

  test('rejects an interval with an end that is not one of its edges', () => {
    const running = new RunningUsage(counted, [20, 30]);
    expect(() => running.add(1, 20, 25, 1)).toThrow('25 is not one of the edges');
    expect(() => running.add(1, 15, 30, 1)).toThrow('15 is not one of the edges');
    expect(() => running.add(1, 20, 40, 1)).toThrow('40 is not one of the edges');
  });

  test('peaks after intervals that ended before others began', () => {
    const running = new RunningUsage(counted, [20, 30, 40]);
    running.add(1, 10, 20, 1);
    running.add(2, 30, 40, 1);
    running.add(3, 30, 40, 1);
    expect(running.usage.peakClusters).toBe(2);
  });
});
