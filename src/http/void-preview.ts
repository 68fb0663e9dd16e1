import { z } from 'zod';
import { PERIOD_STATES, periodAfter, periodState } from '../domain/period.ts';
import { AmountSum } from '../domain/quantity.ts';
import { firstChange } from '../domain/statement.ts';
import { type Instant, type Period, periodOf, periodWindow } from '../domain/time.ts';
import { countedWindow, usageOf } from '../domain/usage.ts';
import type { Submission } from '../ledger/ledger.ts';
import { suppose } from '../ledger/suppose.ts';
import type { LedgerModel, Place } from '../projections/ledger-model.ts';
import { readFacts } from '../projections/recorded-facts.ts';
import { type SupposedCluster, supposedClusters, wouldChange } from '../projections/supposed.ts';
import type { Rooms } from './app.ts';
import { AmountsOut, UsageOut } from './contract.ts';
import { FactRef, factRef } from './fact-ref.ts';
import { refusal } from './problem.ts';
import { refuseHalted } from './reading.ts';

export const VoidPreview = z.strictObject({
  outcome: z.literal('would-void'),
  eventId: z.string(),
  clusterId: z.string(),
  accountId: z.string().nullable().describe('Whose figures would change.'),
  fact: FactRef,
  periods: z
    .array(
      z.strictObject({
        period: z.string(),
        state: z.enum(PERIOD_STATES).describe('What is closed becomes an adjustment of the next close.'),
        before: UsageOut,
        after: UsageOut,
        delta: AmountsOut,
      }),
    )
    .describe('Every period of which a figure changes, up to now, in order.'),
});

/**
 * What a void would change, of every period up to now. Nothing is written.
 * @param place of the fact. @throws Problem as the void itself would be refused.
 */
export async function previewVoid(
  { store }: Rooms,
  model: LedgerModel,
  place: Place & { readonly clusterId: string },
  submission: Submission,
  now: Instant,
): Promise<z.output<typeof VoidPreview>> {
  const { clusterId, position } = place;
  const cluster = model.clusters.find(clusterId) as number;
  refuseHalted(model, cluster);
  const asOf = model.position;
  const known = model.positionsOf(cluster, asOf).length;
  const supposition = { clusterId, known, removed: new Set<string>(), added: [submission] };
  const { billing, outcomes } = await suppose(store, supposition, { now, mayBackdate: true });
  for (const outcome of outcomes) if (outcome.outcome === 'rejected') throw refusal(outcome.rejection);
  const was = model.billing(cluster, asOf);
  const accountId = (was.registration ?? billing.registration)?.fact.accountId;
  const clusters =
    accountId === undefined
      ? []
      : await supposedClusters(model, accountId, asOf, new Map([[clusterId, billing]]));
  const facts = await readFacts(store, model, [position]);
  const fact = factRef(model, facts, position);
  return {
    outcome: 'would-void',
    eventId: fact.eventId,
    clusterId,
    accountId: accountId ?? null,
    fact,
    periods: periodsChanged(model, clusters, now),
  };
}

function periodsChanged(model: LedgerModel, clusters: readonly SupposedCluster[], now: Instant) {
  const accountId = undefined;
  const since = clusters.flatMap(({ before, after }) => {
    return firstChange({ accountId, intervals: before }, { accountId, intervals: after }) ?? [];
  });
  const periods: z.output<typeof VoidPreview>['periods'] = [];
  if (since.length === 0) return periods;
  const last = periodOf(now);
  for (let period: Period = periodOf(Math.min(...since)); period <= last; period = periodAfter(period)) {
    const counted = countedWindow(periodWindow(period), now);
    if (!clusters.some((cluster) => wouldChange(cluster, counted))) continue;
    const [before, after] = [
      usageOf(
        clusters.map((cluster) => cluster.before),
        counted,
      ),
      usageOf(
        clusters.map((cluster) => cluster.after),
        counted,
      ),
    ];
    const delta = new AmountSum().add(after).subtract(before).total;
    const state = periodState(period, model.closeOf(period) !== undefined, now);
    periods.push({ period, state, before, after, delta });
  }
  return periods;
}
