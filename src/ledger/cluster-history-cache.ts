import type { Fact, KnownFact } from '../domain/facts/fact.ts';
import { type Origin, originOf, parseStoredFact } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/streams.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';

/** A fact as it stands in its stream; `position` is its revision there, which orders it among the facts of its cluster. */
export interface RecordedFact extends KnownFact {
  readonly origin: Origin;
  readonly recordedAt: number;
}

/** All facts of one cluster. */
export interface ClusterHistory {
  readonly facts: readonly RecordedFact[];
  /** Whether nothing can have been added since it was read: a refusal may rest on it. */
  readonly isFresh: boolean;
}

/** Histories kept in memory; the longest unused goes first. */
const KEPT = 20_000;

/**
 * The histories of clusters, read from the store and kept while they are in use. A kept one may be behind where several
 * processes write: the expected revision of the append tells, and a refusal never rests on one that is not current.
 */
export class ClusterHistoryCache {
  readonly #store: EventStore;
  readonly #kept = new BoundedMap<string, readonly RecordedFact[]>(KEPT);

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** @throws UnreadableFact where the stream holds what this release cannot read. @throws StoreUnavailable */
  async load(clusterId: string): Promise<ClusterHistory> {
    const facts = this.#kept.get(clusterId);
    if (facts === undefined) return this.reload(clusterId);
    this.keep(clusterId, facts);
    return { facts, isFresh: this.#store.isSoleWriter };
  }

  /** Reads the stream, whatever is kept. @throws UnreadableFact @throws StoreUnavailable */
  async reload(clusterId: string): Promise<ClusterHistory> {
    const facts: RecordedFact[] = [];
    for await (const event of this.#store.readStream(clusterStream(clusterId))) {
      const fact: Fact = parseStoredFact(clusterId, event);
      const { id, revision, recordedAt } = event;
      facts.push({ eventId: id, order: revision, fact, origin: originOf(event), recordedAt });
    }
    this.keep(clusterId, facts);
    return { facts, isFresh: true };
  }

  forget(clusterId: string): void {
    this.#kept.delete(clusterId);
  }

  keep(clusterId: string, facts: readonly RecordedFact[]): void {
    this.#kept.setNewest(clusterId, facts);
  }
}
