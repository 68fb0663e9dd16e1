import type { ClusterBilling } from '../domain/billing/billing.ts';
import { AmountSum, type Amounts } from '../domain/billing/quantity.ts';
import { type TypeUsage, type Usage, usageOf } from '../domain/billing/usage-meter.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { LAST_INSTANT, type Window } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Submission } from '../ledger/submission.ts';
import type { ClusterNumber } from '../projections/model/interned-numbers.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import {
  type SimulatedCluster,
  simulateClusters,
  wouldChange,
} from '../projections/queries/simulated-clusters.ts';
import type { Position } from '../util/log-numbers.ts';
import { simulateFacts } from './simulate-facts.ts';

/** Hypothetical changes to the facts of an account. Facts are removed before others are added. */
export interface FactChanges {
  /** Facts to add, in order. */
  readonly added: readonly Submission[];
  /** Facts to remove. */
  readonly removed: readonly { readonly eventId: string; readonly clusterId: string }[];
}

export type AccountSimulation =
  /** A cluster that facts are added to cannot be read. */
  | { readonly outcome: 'halted'; readonly cluster: ClusterNumber }
  /** An added fact would be rejected; `index` is its index in `added`. */
  | { readonly outcome: 'rejected'; readonly index: number; readonly rejection: Rejection }
  | { readonly outcome: 'simulated'; readonly clusters: readonly SimulatedCluster[] };

interface ClusterChange {
  readonly removed: Set<string>;
  readonly added: Submission[];
  /** For each added fact, its index in `FactChanges.added`. */
  readonly indexes: number[];
}

/**
 * Computes how each cluster of an account would be billed if its facts were changed. Nothing is written. Added facts are
 * checked as if they were posted, except that they may have any effective time.
 * @throws StoreUnavailable @throws UnreadableFact
 */
export async function simulateAccount(
  store: EventStore,
  model: LedgerModel,
  account: { readonly accountId: string; readonly asOf: Position },
  changes: FactChanges,
): Promise<AccountSimulation> {
  const { accountId, asOf } = account;
  const billings = new Map<string, ClusterBilling>();
  for (const [clusterId, { removed, added, indexes }] of byCluster(changes)) {
    const cluster = model.clusters.find(clusterId);
    const known = cluster === undefined ? 0 : model.positionsOf(cluster, asOf).length;
    if (cluster !== undefined && added.length > 0 && model.unreadable(cluster) !== undefined)
      return { outcome: 'halted', cluster };
    const posting = { now: LAST_INSTANT, mayBackdate: true, mayTransfer: true };
    const { billing, outcomes } = await simulateFacts(store, { clusterId, known, removed, added }, posting);
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.outcome === 'rejected')
        return { outcome: 'rejected', index: indexes[i] ?? 0, rejection: outcome.rejection };
    }
    billings.set(clusterId, billing);
  }
  return { outcome: 'simulated', clusters: await simulateClusters(model, accountId, asOf, billings) };
}

function byCluster({ added, removed }: FactChanges): Map<string, ClusterChange> {
  const changes = new Map<string, ClusterChange>();
  const changeOf = (clusterId: string): ClusterChange => {
    const change = changes.get(clusterId) ?? { removed: new Set(), added: [], indexes: [] };
    changes.set(clusterId, change);
    return change;
  };
  for (const { eventId, clusterId } of removed) changeOf(clusterId).removed.add(eventId);
  for (const [index, submission] of added.entries()) {
    const change = changeOf(submission.fact.clusterId);
    change.added.push(submission);
    change.indexes.push(index);
  }
  return changes;
}

export interface UsageComparison {
  readonly before: Usage;
  readonly after: Usage;
  readonly byType: { readonly before: readonly TypeUsage[]; readonly after: readonly TypeUsage[] };
  readonly delta: Amounts;
  /** The clusters whose billing within the window would change. */
  readonly changed: readonly SimulatedCluster[];
}

/** Compares the usage of simulated clusters in a window before and after the changes. */
export function compareUsage(clusters: readonly SimulatedCluster[], counted: Window): UsageComparison {
  const usage = (when: 'before' | 'after') =>
    usageOf(
      clusters.values().map((cluster) => cluster[when]),
      counted,
    );
  const [before, after] = [usage('before'), usage('after')];
  return {
    before: before.usage,
    after: after.usage,
    byType: { before: before.byType, after: after.byType },
    delta: new AmountSum().add(after.usage).subtract(before.usage).total,
    changed: clusters.filter((cluster) => wouldChange(cluster, counted)),
  };
}
