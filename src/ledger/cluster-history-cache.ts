import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import { ClusterHistory, recordedFactOf } from './cluster-history.ts';

/** The facts of a cluster, as they are known to this process. */
export interface LoadedHistory {
  readonly history: ClusterHistory;
  /** Whether no other process can have added facts since they were read. Only a fresh history can reject a fact. */
  readonly isFresh: boolean;
}

export interface CacheOptions {
  /**
   * Returns whether a cluster probably has no facts, so that it need not be read. If it has some, the append of its first fact
   * fails on its expected revision, and the cluster is read then. By default every cluster is read.
   */
  readonly isNew?: (clusterId: string) => boolean;
  /** Maximum size of the histories in memory, in bytes; the least recently used one is evicted first. Default 256 MiB. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1_024 * 1_024;

interface Entry {
  readonly history: ClusterHistory;
  /** Size of the history when it was last measured. */
  bytes: number;
  /** Number of uses of the cache when the entry was made the newest. */
  readonly newestAt: number;
}

/**
 * An entry is made the newest again only if at least this share of the entries may have been used since: moving an entry within
 * the map takes longer than all else that a use needs.
 */
const SHARE_BEFORE_MOVE = 1 / 8;

/**
 * Cache of the facts of clusters. A cached history may be stale if several processes write to the store. A stale history is
 * harmless: the append then fails on its expected revision, and a fact is never rejected on a history that is not fresh.
 */
export class ClusterHistoryCache {
  readonly #store: EventStore;
  readonly #isNew: (clusterId: string) => boolean;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  /** Yields the keys from the oldest on. A new iterator for each eviction would pass over all deleted entries again. */
  readonly #oldest: MapIterator<string> = this.#entries.keys();
  #bytes = 0;
  #uses = 0;
  /** Clusters to which facts may have been appended, with an unknown outcome. */
  readonly #uncertain = new Set<string>();

  constructor(store: EventStore, { isNew = () => false, maxBytes = MAX_BYTES }: CacheOptions = {}) {
    this.#store = store;
    this.#isNew = isNew;
    this.#maxBytes = maxBytes;
  }

  /** Returns the history of a cluster if it need not be read. */
  cached(clusterId: string): LoadedHistory | undefined {
    const { isSoleWriter } = this.#store;
    const known = this.#entries.get(clusterId)?.history;
    // A sole writer has no need to guess: it reads from memory that a stream is empty.
    const isGuessed = known === undefined && !isSoleWriter && !this.#uncertain.has(clusterId);
    const history = known ?? (isGuessed && this.#isNew(clusterId) ? new ClusterHistory() : undefined);
    return history === undefined ? undefined : { history, isFresh: isSoleWriter };
  }

  /** Reads the history from the store. @throws UnreadableFact if this release cannot read a fact. @throws StoreUnavailable */
  async reload(clusterId: string): Promise<LoadedHistory> {
    const history = new ClusterHistory();
    const yielder = new EventLoopYielder();
    for await (const event of this.#store.readStream(clusterStream(clusterId))) {
      history.add(recordedFactOf(clusterId, event));
      if (yielder.isDue) await yielder.yield();
    }
    this.#uncertain.delete(clusterId);
    this.keep(clusterId, history);
    return { history, isFresh: true };
  }

  /** Stores the history of a cluster as the most recently used one, and measures it. Evicts others if there is no room. */
  keep(clusterId: string, history: ClusterHistory): void {
    const entry = this.#entries.get(clusterId);
    const { bytes } = history;
    const uses = this.#uses++;
    if (entry?.history === history && uses - entry.newestAt < SHARE_BEFORE_MOVE * this.#entries.size) {
      this.#bytes += bytes - entry.bytes;
      entry.bytes = bytes;
    } else {
      this.#remove(clusterId);
      this.#entries.set(clusterId, { history, bytes, newestAt: uses });
      this.#bytes += bytes;
    }
    while (this.#bytes > this.#maxBytes && this.#entries.size > 1)
      this.#remove(this.#oldest.next().value as string);
  }

  /** Removes a history, so that the next `load` reads it. */
  forget(clusterId: string): void {
    this.#remove(clusterId);
    this.#uncertain.add(clusterId);
  }

  #remove(clusterId: string): void {
    this.#bytes -= this.#entries.get(clusterId)?.bytes ?? 0;
    this.#entries.delete(clusterId);
  }
}
