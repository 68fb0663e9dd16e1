import { billCluster, type ClusterBilling } from '../domain/billing/billing.ts';
import type { Posting } from '../domain/facts/decide.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { ClusterHistory, type RecordedFact, recordedFactOf } from '../ledger/cluster-history.ts';
import { planFor } from '../ledger/plan-append.ts';
import type { Outcome, Submission } from '../ledger/submission.ts';

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
  const facts = (await read(store, clusterId, known)).filter(({ eventId }) => !removed.has(eventId));
  const history = new ClusterHistory(facts.map((fact, i) => ({ ...fact, order: i, revision: i })));
  const outcomes: Outcome[] = [];
  const stamped = { ...posting, recordedAt: posting.now };
  while (outcomes.length < added.length) {
    const plan = planFor(history, added.slice(outcomes.length), stamped);
    outcomes.push(...plan.outcomes);
    for (const fact of plan.added) history.add(fact);
  }
  return { billing: billCluster(history.facts), outcomes };
}

async function read(store: EventStore, clusterId: string, known: number): Promise<RecordedFact[]> {
  const facts: RecordedFact[] = [];
  if (known === 0) return facts;
  for await (const event of store.readStream(clusterStream(clusterId), { limit: known }))
    facts.push(recordedFactOf(clusterId, event));
  return facts;
}
