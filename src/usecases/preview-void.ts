import { type PeriodState, periodAfter, periodState } from '../domain/billing/period.ts';
import { AmountSum, type Amounts } from '../domain/billing/quantity.ts';
import { firstChange, type OwnedIntervals } from '../domain/billing/statement.ts';
import { clippedWindow, type Usage, usageOf } from '../domain/billing/usage.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { type Instant, type Period, periodOf, periodWindow } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Submission } from '../ledger/submission.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import {
  type SimulatedCluster,
  simulateClusters,
  wouldChange,
} from '../projections/queries/simulated-clusters.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import { simulateFacts } from './simulate-facts.ts';

/** A period whose figures a void would change. */
export interface ChangedPeriod {
  readonly period: Period;
  readonly state: PeriodState;
  readonly before: Usage;
  readonly after: Usage;
  readonly delta: Amounts;
}

export type VoidPreview =
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  | {
      readonly outcome: 'would-void';
      /** The account whose figures would change. */
      readonly accountId: string | undefined;
      /** Every changed period up to now, in order. */
      readonly periods: readonly ChangedPeriod[];
    };

/**
 * Computes how a void would change the figures of every period up to now. Nothing is written.
 * @param submission a `FactVoided`; its cluster has facts, and all of them are readable.
 * @throws StoreUnavailable @throws UnreadableFact
 */
export async function previewVoid(
  store: EventStore,
  model: LedgerModel,
  submission: Submission,
  now: Instant,
): Promise<VoidPreview> {
  const { clusterId } = submission.fact;
  const cluster = model.clusters.find(clusterId) as number;
  const asOf = model.position;
  const known = model.positionsOf(cluster, asOf).length;
  const simulated = { clusterId, known, removed: new Set<string>(), added: [submission] };
  const { billing, outcomes } = await simulateFacts(store, simulated, { now, mayBackdate: true });
  for (const outcome of outcomes) if (outcome.outcome === 'rejected') return outcome;
  const current = model.billing(cluster, asOf);
  const accountId = (current.registration ?? billing.registration)?.fact.accountId;
  const clusters =
    accountId === undefined
      ? []
      : await simulateClusters(model, accountId, asOf, new Map([[clusterId, billing]]));
  return { outcome: 'would-void', accountId, periods: await changedPeriods(model, clusters, now) };
}

/** Computes the changed periods one at a time, and yields to the event loop between them. */
async function changedPeriods(
  model: LedgerModel,
  clusters: readonly SimulatedCluster[],
  now: Instant,
): Promise<ChangedPeriod[]> {
  const accountId = undefined;
  const changed = clusters.flatMap((cluster) => {
    const [before, after] = [cluster.before, cluster.after].map((intervals) => ({ accountId, intervals }));
    const since = firstChange(before as OwnedIntervals, after as OwnedIntervals);
    return since === undefined ? [] : [{ cluster, since }];
  });
  const periods: ChangedPeriod[] = [];
  if (changed.length === 0) return periods;
  const first = periodOf(Math.min(...changed.map(({ since }) => since)));
  const yielder = new EventLoopYielder();
  for (let period: Period = first; period <= periodOf(now); period = periodAfter(period)) {
    const counted = clippedWindow(periodWindow(period), now);
    if (!changed.some(({ cluster }) => wouldChange(cluster, counted))) continue;
    const [before, after] = (['before', 'after'] as const).map((when) =>
      usageOf(
        clusters.values().map((cluster) => cluster[when]),
        counted,
      ),
    ) as [Usage, Usage];
    const delta = new AmountSum().add(after).subtract(before).total;
    const state = periodState(period, model.closingOf(period) !== undefined, now);
    periods.push({ period, state, before, after, delta });
    if (yielder.isDue) await yielder.yield();
  }
  return periods;
}
