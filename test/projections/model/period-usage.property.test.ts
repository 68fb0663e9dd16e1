import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clippedWindow, usageOf } from '../../../src/domain/billing/usage-meter.ts';
import { periodWindow } from '../../../src/domain/time.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { decodeModel, encodeModel } from '../../../src/projections/model/snapshot.ts';
import { accountUsage, type UsageQuestion } from '../../../src/projections/queries/account-usage.ts';
import { applyTo, modelOf } from '../../support/models.ts';
import { edges, logs, PERIODS, windows } from '../../support/random-logs.ts';

/** The usage of an account, folded from the facts of every cluster. */
function folded(model: LedgerModel, accountId: string, { window, through, asOf }: UsageQuestion) {
  const intervals = Array.from(model.clusters.texts.keys(), (cluster) =>
    model.billing(cluster, asOf).intervals.filter((interval) => interval.accountId === accountId),
  );
  return { accountId, ...usageOf(intervals, clippedWindow(window, through)) };
}

const questions = fc.oneof(
  fc.record({
    window: fc.constantFrom(...PERIODS).map(periodWindow),
    through: fc.constantFrom(...edges, ...edges.map((edge) => edge + 5)),
  }),
  windows,
);

describe('the usage of an account', () => {
  test('equals the fold of the facts whatever was asked for before, through late facts, voids, transfers and a restart', () => {
    const steps = fc.array(fc.record({ question: questions, behind: fc.nat(3) }), {
      minLength: 4,
      maxLength: 8,
    });
    fc.assert(
      fc.property(logs, steps, fc.nat(40), ({ facts }, asked, restartedAfter) => {
        let model = modelOf([]);
        for (const [i, fact] of facts.entries()) {
          applyTo(model, fact);
          if (i === restartedAfter) model = decodeModel(encodeModel(model));
          const { question, behind } = asked[i % asked.length] as (typeof asked)[number];
          for (const accountId of model.accounts.texts) {
            const now = { ...question, asOf: model.position, byDay: false };
            expect(accountUsage(model, accountId, now)).toEqual(folded(model, accountId, now));
            // The same question again, later or earlier, and as of an earlier position.
            const other = {
              ...now,
              through: now.through + 7 * (behind - 1),
              asOf: Math.max(0, now.asOf - behind),
            };
            expect(accountUsage(model, accountId, other)).toEqual(folded(model, accountId, other));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('is not measured again for another instant of the month while no fact of the account is recorded', () => {
    const at = (day: string) => Date.parse(day);
    const registered = (clusterId: string, accountId: string) => ({
      ...({ type: 'ClusterRegistered', name: 'one' } as const),
      ...{ clusterId, accountId, effectiveAt: at('2026-01-05') },
    });
    const model = modelOf([registered('c0', 'acme'), registered('c1', 'globex')]);
    let measured = 0;
    const measure = model.measure.bind(model);
    const counted: typeof measure = (...all) => {
      measured++;
      return measure(...all);
    };
    Object.assign(model, { measure: counted });
    const secondsUntil = (day: string) => {
      const question = {
        window: periodWindow('2026-01'),
        through: at(day),
        asOf: model.position,
        byDay: false,
      };
      return accountUsage(model, 'acme', question).usage.clusterSeconds;
    };
    expect(secondsUntil('2026-01-06')).toBe('86400.000');
    expect(secondsUntil('2026-01-07')).toBe('172800.000');
    applyTo(model, { type: 'ClusterDeleted', clusterId: 'c1', effectiveAt: at('2026-01-06') });
    expect(secondsUntil('2026-01-08')).toBe('259200.000');
    expect(measured).toBe(1);
    applyTo(model, { type: 'ClusterDeleted', clusterId: 'c0', effectiveAt: at('2026-01-06') });
    expect(secondsUntil('2026-01-08')).toBe('86400.000');
    expect(measured).toBe(2);
  });
});
