import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AmountSum } from '../../../src/domain/billing/quantity.ts';
import { clippedWindow } from '../../../src/domain/billing/usage-meter.ts';
import { accountUsage } from '../../../src/projections/queries/account-usage.ts';
import { positionsToReplay, replay } from '../../../src/projections/queries/replay-account.ts';
import { usageAt } from '../../oracle/oracle.ts';
import { modelOf } from '../../support/models.ts';
import { forOracle, logs, windows } from '../../support/random-logs.ts';

test('a replay yields the usage as known after each fact, and its deltas add up to the usage', async () => {
  await fc.assert(
    fc.asyncProperty(logs, windows, fc.nat(30), async ({ facts }, { window, through }, cut) => {
      const model = modelOf(facts);
      const asOf = Math.min(cut, facts.length);
      for (const accountId of ['acme', 'globex']) {
        const positions = await positionsToReplay(model, accountId, asOf);
        const steps = [...replay(model, accountId, { window, through }, positions)];
        expect(steps.map(({ position }) => position)).toEqual([...positions]);
        const sum = new AmountSum();
        for (const { position, usage, delta } of steps) {
          const question = { window, through, asOf: position, byDay: false };
          expect(usage).toEqual(accountUsage(model, accountId, question).usage);
          const { billableClusters, clusterSeconds } = usage;
          expect(sum.add(delta).total).toEqual({ billableClusters, clusterSeconds });
        }
        // The replayed facts are complete: a fold of them, and of any prefix of them, is the usage.
        const { from, to } = clippedWindow(window, through);
        const played = forOracle(facts).filter(({ position }) => positions.includes(position));
        for (const { position, usage } of steps)
          expect(usageAt(played, position, accountId, [BigInt(from), BigInt(to)], BigInt(to))).toEqual(usage);
        const known = { window, through, asOf, byDay: false };
        const last = steps.at(-1)?.usage ?? accountUsage(modelOf([]), accountId, known).usage;
        expect(last).toEqual(accountUsage(model, accountId, known).usage);
      }
    }),
    { numRuns: 500 },
  );
});
