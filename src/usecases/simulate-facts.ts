import { billCluster, type ClusterBilling } from '../domain/billing/billing.ts';
import type { Posting } from '../domain/facts/decide.ts';
import { clusterStream, originOf, parseStoredFact } from '../domain/facts/recorded-fact.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { RecordedFact } from '../ledger/cluster-history-cache.ts';
import { type Outcome, planFor, type Submission } from '../ledger/ledger.ts';

/** Other facts of a cluster than it has. */
export interface SimulatedFact {
  readonly clusterId: string;
  /** How many of its facts are known, from the first on. */
  readonly known: number;
  /** Event ids of facts that are taken out. */
  readonly removed: ReadonlySet<string>;
  /** What is put in, in order. */
  readonly added: readonly Submission[];
}

export interface SimulationResult {
  /** What is billed then; orders in it are places among the supposed facts. */
  readonly billing: ClusterBilling;
  /** What would become of each that is put in; one that is refused changes nothing. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Decides as the ledger would if these were the facts, and writes nothing.
 * @throws StoreUnavailable @throws UnreadableFact
 */
export async function simulateFacts(
  store: EventStore,
  { clusterId, known, removed, added }: SimulatedFact,
  posting: Posting,
): Promise<SimulationResult> {
  let facts = (await read(store, clusterId, known))
    .filter(({ eventId }) => !removed.has(eventId))
    .map((fact, order) => ({ ...fact, order }));
  const outcomes: Outcome[] = [];
  while (outcomes.length < added.length) {
    const plan = planFor(facts, added.slice(outcomes.length), posting);
    outcomes.push(...plan.outcomes);
    facts = [...facts, ...plan.added];
  }
  return { billing: billCluster(facts), outcomes };
}

async function read(store: EventStore, clusterId: string, known: number): Promise<RecordedFact[]> {
  const facts: RecordedFact[] = [];
  if (known === 0) return facts;
  for await (const event of store.readStream(clusterStream(clusterId), { limit: known })) {
    const { id: eventId, revision: order, recordedAt } = event;
    facts.push({
      eventId,
      order,
      fact: parseStoredFact(clusterId, event),
      origin: originOf(event),
      recordedAt,
    });
  }
  return facts;
}
