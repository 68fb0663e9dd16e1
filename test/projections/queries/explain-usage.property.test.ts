import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSeconds } from '../../../src/domain/billing/quantity.ts';
import { clippedWindow } from '../../../src/domain/billing/usage-meter.ts';
import { accountUsage } from '../../../src/projections/queries/account-usage.ts';
import { explainUsage } from '../../../src/projections/queries/explain-usage.ts';
import { usageAt } from '../../oracle/oracle.ts';
import { modelOf } from '../../support/models.ts';
import { forOracle, logs, windows } from '../../support/random-logs.ts';

/** How many intervals hold an instant. */
const billedAt = (intervals: readonly { from: number; to: number }[], at: number) =>
  intervals.filter(({ from, to }) => from <= at && at < to).length;

test('the parts of an explained figure add up to it to the millisecond, and it equals the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(logs, windows, fc.nat(30), async ({ facts }, { window, through }, cut) => {
      const model = modelOf(facts);
      const asOf = Math.min(cut, facts.length);
      const counted = clippedWindow(window, through);
      for (const accountId of ['acme', 'globex']) {
        const question = { window, through: counted.to, asOf };
        const { usage, clusters } = await explainUsage(model, accountId, question);
        expect(usage).toEqual(accountUsage(model, accountId, { ...question, byDay: false }).usage);
        const bounds = [BigInt(counted.from), BigInt(counted.to)] as const;
        expect(usage).toEqual(usageAt(forOracle(facts), asOf, accountId, bounds, bounds[1]));

        const intervals = clusters.flatMap((cluster) => cluster.intervals);
        const sum = intervals.reduce((ms, { from, to }) => ms + BigInt(to - from), 0n);
        expect(formatSeconds(sum)).toBe(usage.clusterSeconds);
        expect(clusters.filter((cluster) => cluster.intervals.length > 0)).toHaveLength(
          usage.billableClusters,
        );
        expect(billedAt(intervals, counted.from)).toBe(usage.clustersAtStart);
        expect(billedAt(intervals, counted.to - 1)).toBe(usage.clustersAtEnd);
        const counts = intervals.map(({ from }) => billedAt(intervals, from));
        expect(Math.max(0, ...counts)).toBe(usage.peakClusters);
        for (const { intervals: own, why } of clusters) expect(why === undefined).toBe(own.length > 0);
        for (const { openedBy, closedBy } of intervals)
          expect(Math.max(openedBy, closedBy ?? 0)).toBeLessThanOrEqual(asOf);
      }
    }),
    { numRuns: 1_000 },
  );
});
