import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import { ClusterHistory, recordedFactOf } from './cluster-history.ts';

/** The facts of a cluster, as they are known to this process. */
export interface LoadedHistory {
  readonly history: ClusterHistory;
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
  readonly #histories = new BoundedMap<string, ClusterHistory>(MAX_HISTORIES);

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** Returns the history of a cluster, from memory if possible. @throws UnreadableFact, StoreUnavailable as `reload` does */
  async load(clusterId: string): Promise<LoadedHistory> {
    const history = this.#histories.get(clusterId);
    if (history === undefined) return this.reload(clusterId);
    this.#histories.setNewest(clusterId, history);
    return { history, isFresh: this.#store.isSoleWriter };
  }

  /** Reads the history from the store. @throws UnreadableFact if this release cannot read a fact. @throws StoreUnavailable */
  async reload(clusterId: string): Promise<LoadedHistory> {
    const history = new ClusterHistory();
    const yielder = new EventLoopYielder();
    for await (const event of this.#store.readStream(clusterStream(clusterId))) {
      history.add(recordedFactOf(clusterId, event));
      if (yielder.isDue) await yielder.yield();
    }
    this.#histories.setNewest(clusterId, history);
    return { history, isFresh: true };
  }

  /** Removes a history, so that the next `load` reads it. */
  forget(clusterId: string): void {
    this.#histories.delete(clusterId);
  }
}
