import type { ClusterBilling } from '../domain/billing/billing.ts';
import { type PeriodState, periodAfter, periodState } from '../domain/billing/period.ts';
import { AmountSum, type Amounts } from '../domain/billing/quantity.ts';
import { changesWithin, firstChange } from '../domain/billing/statement.ts';
import { clippedWindow, type UsageBreakdown, usageOf } from '../domain/billing/usage-meter.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { type Instant, type Period, periodOf, periodWindow } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Submission } from '../ledger/submission.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import { toAccount } from '../projections/queries/differences.ts';
import { type SimulatedCluster, simulateClusters } from '../projections/queries/simulated-clusters.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import { simulateFacts } from './simulate-facts.ts';

/** The change of the usage of an account in one period. */
export interface PeriodPreview {
  readonly period: Period;
  /** A closed period is adjusted by the next close. */
  readonly state: PeriodState;
  readonly before: UsageBreakdown;
  readonly after: UsageBreakdown;
  readonly delta: Amounts;
}

/** The change of the usage of an account, for every period up to now in which anything changes, in order. */
export interface AccountPreview {
  readonly accountId: string;
  readonly periods: readonly PeriodPreview[];
}

export type ChangePreview =
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  | {
      readonly outcome: 'previewed';
      readonly accounts: readonly AccountPreview[];
      /** The billing of the cluster as it would be. */
      readonly billing: ClusterBilling;
    };

interface Question {
  readonly clusterId: string;
  readonly submission: Submission;
  readonly now: Instant;
  /** How long after its end a period waits for late facts, in milliseconds. */
  readonly graceMs: number;
}

/**
 * Computes what recording a fact would change for each account, in order of their ids, without writing anything.
 * @throws StoreUnavailable, UnreadableFact
 */
export async function previewChange(
  store: EventStore,
  model: LedgerModel,
  { clusterId, submission, now, graceMs }: Question,
): Promise<ChangePreview> {
  const asOf = model.position;
  const cluster = model.clusters.find(clusterId);
  const known = cluster === undefined ? 0 : model.positionsOf(cluster, asOf).length;
  const simulation = { clusterId, known, removed: new Set<string>(), added: [submission] };
  const posting = { now, mayBackdate: true, mayTransfer: true };
  const { billing, outcomes } = await simulateFacts(store, simulation, posting);
  for (const outcome of outcomes)
    if (outcome.outcome === 'rejected') return { outcome: 'rejected', rejection: outcome.rejection };
  const was = cluster === undefined ? [] : model.intervals(cluster, asOf);
  const owners = new Set([...was, ...billing.intervals].map(({ accountId }) => accountId));
  const accounts: AccountPreview[] = [];
  for (const accountId of [...owners].sort()) {
    const isChanged = firstChange(toAccount(was, accountId), toAccount(billing.intervals, accountId));
    if (isChanged === undefined) continue;
    accounts.push({ accountId, periods: await periodsOf(accountId, billing) });
  }
  return { outcome: 'previewed', accounts, billing };

  async function periodsOf(accountId: string, simulated: ClusterBilling): Promise<PeriodPreview[]> {
    const clusters = await simulateClusters(model, accountId, asOf, new Map([[clusterId, simulated]]));
    return changedPeriods(model, clusters, now, graceMs);
  }
}

/** Compares one period after the other, so that a large account does not block the event loop. */
async function changedPeriods(
  model: LedgerModel,
  clusters: readonly SimulatedCluster[],
  now: Instant,
  graceMs: number,
): Promise<PeriodPreview[]> {
  const changes = clusters.flatMap(({ before, after }) => firstChange(before, after) ?? []);
  const periods: PeriodPreview[] = [];
  if (changes.length === 0) return periods;
  const yielder = new EventLoopYielder();
  const last = periodOf(now);
  for (let period = periodOf(Math.min(...changes)); period <= last; period = periodAfter(period)) {
    const counted = clippedWindow(periodWindow(period), now);
    if (!clusters.some(({ before, after }) => changesWithin(before, after, counted))) continue;
    const before = usageOf(
      clusters.values().map((cluster) => cluster.before),
      counted,
    );
    const after = usageOf(
      clusters.values().map((cluster) => cluster.after),
      counted,
    );
    const delta = new AmountSum().add(after.usage).subtract(before.usage).total;
    const state = periodState(period, model.closedPeriods.of(period) !== undefined, now, graceMs);
    periods.push({ period, state, before, after, delta });
    if (yielder.isDue) await yielder.yield();
  }
  return periods;
}
