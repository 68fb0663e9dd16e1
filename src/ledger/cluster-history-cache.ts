import type { Fact, KnownFact } from '../domain/facts/fact.ts';
import { type Origin, originOf, parseStoredFact } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import type { Revision } from '../util/log-numbers.ts';

/** A fact in the stream of its cluster. Its `order` is its revision. */
export interface RecordedFact extends KnownFact {
  /** Index in the stream of the cluster, from 0. */
  readonly revision: Revision;
  readonly origin: Origin;
  readonly recordedAt: number;
}

/** All facts of one cluster. */
export interface ClusterHistory {
  readonly facts: readonly RecordedFact[];
  /** Whether no other process can have added facts since they were read. Only a fresh history can reject a fact. */
  readonly isFresh: boolean;
}

/** Maximum number of histories in memory; the least recently used one is evicted first. */
const MAX_HISTORIES = 20_000;

/**
 * Cache of the facts of clusters. A cached history may be stale if several processes write to the store. A stale history is
 * harmless: the append then fails on its expected revision, and a fact is never rejected on a history that is not fresh.
 */
export class ClusterHistoryCache {
  readonly #store: EventStore;
  readonly #histories = new BoundedMap<string, readonly RecordedFact[]>(MAX_HISTORIES);

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** Returns the history of a cluster, from memory if possible. @throws UnreadableFact, StoreUnavailable as `reload` does */
  async load(clusterId: string): Promise<ClusterHistory> {
    const facts = this.#histories.get(clusterId);
    if (facts === undefined) return this.reload(clusterId);
    this.keep(clusterId, facts);
    return { facts, isFresh: this.#store.isSoleWriter };
  }

  /** Reads the history from the store. @throws UnreadableFact if this release cannot read a fact. @throws StoreUnavailable */
  async reload(clusterId: string): Promise<ClusterHistory> {
    const facts: RecordedFact[] = [];
    for await (const event of this.#store.readStream(clusterStream(clusterId))) {
      const fact: Fact = parseStoredFact(clusterId, event);
      const { id, revision, recordedAt } = event;
      facts.push({ eventId: id, order: revision, revision, fact, origin: originOf(event), recordedAt });
    }
    this.keep(clusterId, facts);
    return { facts, isFresh: true };
  }

  /** Removes a history, so that the next `load` reads it. */
  forget(clusterId: string): void {
    this.#histories.delete(clusterId);
  }

  /** Stores the history of a cluster after an append. */
  keep(clusterId: string, facts: readonly RecordedFact[]): void {
    this.#histories.setNewest(clusterId, facts);
  }
}
