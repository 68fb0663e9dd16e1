import { billCluster, type ClusterBilling } from '../domain/billing/billing.ts';
import type { Posting } from '../domain/facts/decide-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { ClusterHistory, recordedFactOf } from '../ledger/cluster-history.ts';
import { planFor } from '../ledger/plan-append.ts';
import type { Outcome, Submission } from '../ledger/submission.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';

/** Hypothetical changes to the facts of one cluster. */
export interface SimulatedFacts {
  readonly clusterId: string;
  /** Number of recorded facts to start from, counted from the first. */
  readonly known: number;
  /** Event ids of the facts to remove. */
  readonly removed: ReadonlySet<string>;
  /** Facts to add, in order. */
  readonly added: readonly Submission[];
}

export interface SimulationResult {
  /** The resulting billing; orders in it are indexes among the simulated facts. */
  readonly billing: ClusterBilling;
  /** The outcome of each added fact; a rejected fact changes nothing. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Computes the billing of a cluster with changed facts, by the rules of the ledger. Nothing is written.
 * @throws StoreUnavailable @throws UnreadableFact
 */
export async function simulateFacts(
  store: EventStore,
  { clusterId, known, removed, added }: SimulatedFacts,
  posting: Posting,
): Promise<SimulationResult> {
  const history = await historyWithout(store, clusterId, known, removed);
  const outcomes: Outcome[] = [];
  const stamped = { ...posting, recordedAt: posting.now };
  while (outcomes.length < added.length) {
    const plan = planFor(history, added.slice(outcomes.length), stamped);
    outcomes.push(...plan.outcomes);
    for (const fact of plan.added) history.add(fact);
  }
  return { billing: billCluster(history.facts), outcomes };
}

async function historyWithout(
  store: EventStore,
  clusterId: string,
  known: number,
  removed: ReadonlySet<string>,
): Promise<ClusterHistory> {
  const history = new ClusterHistory();
  if (known === 0) return history;
  const yielder = new EventLoopYielder();
  for await (const event of store.readStream(clusterStream(clusterId), { limit: known })) {
    if (removed.has(event.id)) continue;
    const index = history.facts.length;
    history.add({ ...recordedFactOf(clusterId, event), order: index, revision: index });
    if (yielder.isDue) await yielder.yield();
  }
  // The caller folds all facts next.
  await yielder.yield();
  return history;
}
