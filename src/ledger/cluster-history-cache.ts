import type { ClusterOutline } from '../domain/facts/cluster-outline.ts';
import type { Origin } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
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
  /** Returns what is known of the facts of a cluster without reading them. It may lack the last facts. */
  readonly outlineOf?: (clusterId: string) => ClusterOutline | undefined;
  /** Number of facts from which on a cluster is not read if it has an outline. Default 256: fewer are read as fast. */
  readonly outlinedFrom?: number;
  /** Maximum size of the histories in memory, in bytes; the least recently used one is evicted first. Default 256 MiB. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1_024 * 1_024;
const OUTLINED_FROM = 256;

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
  readonly #outlineOf: (clusterId: string) => ClusterOutline | undefined;
  readonly #outlinedFrom: number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  /** Yields the keys from the oldest on. A new iterator for each eviction would pass over all deleted entries again. */
  readonly #oldest: MapIterator<string> = this.#entries.keys();
  #bytes = 0;
  #uses = 0;
  /** Clusters to which facts may have been appended, with an unknown outcome. */
  readonly #uncertain = new Set<string>();

  constructor(store: EventStore, options: CacheOptions = {}) {
    this.#store = store;
    this.#isNew = options.isNew ?? (() => false);
    this.#outlineOf = options.outlineOf ?? (() => undefined);
    this.#outlinedFrom = options.outlinedFrom ?? OUTLINED_FROM;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
  }

  /** Returns the history of a cluster if it need not be read. */
  cached(clusterId: string): LoadedHistory | undefined {
    const { isSoleWriter } = this.#store;
    const history = this.#entries.get(clusterId)?.history;
    if (history !== undefined) return { history, isFresh: isSoleWriter };
    if (this.#uncertain.has(clusterId) || !this.#isNew(clusterId)) return undefined;
    return { history: new ClusterHistory(), isFresh: false };
  }

  /**
   * Reads the history from the store: all of it, or the end only if its outline is known.
   * @param origins the producers' events that are looked for in it.
   * @throws UnreadableFact if this release cannot read a fact. @throws StoreUnavailable
   */
  async reload(clusterId: string, origins: readonly Origin[] = []): Promise<LoadedHistory> {
    const history = (await this.#outlined(clusterId)) ?? (await this.#readAll(clusterId));
    await this.readRepeats(clusterId, history, origins);
    this.#uncertain.delete(clusterId);
    this.keep(clusterId, history);
    return { history, isFresh: true };
  }

  /** Reads the facts of an outline that may be those of producers' events. @throws as `reload` */
  async readRepeats(clusterId: string, history: ClusterHistory, origins: readonly Origin[]): Promise<void> {
    for (const revision of history.unread(origins)) {
      const options = { from: revision, limit: 1 };
      for await (const event of this.#store.readStream(clusterStream(clusterId), options))
        history.addRead(recordedFactOf(clusterId, event));
    }
    const [missing] = history.unread(origins);
    if (missing !== undefined)
      throw new StoreUnavailable(`the store did not return event ${missing} of cluster ${clusterId}`);
  }

  /** Returns the history by its outline, if that has all facts of the store. */
  async #outlined(clusterId: string): Promise<ClusterHistory | undefined> {
    const outline = this.#outlineOf(clusterId);
    if (outline === undefined || outline.count < this.#outlinedFrom) return undefined;
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const { revision, id } of this.#store.readStream(clusterStream(clusterId), options))
      if (revision === outline.count - 1 && id === outline.lastEventId)
        return new ClusterHistory([], outline);
    return undefined;
  }

  async #readAll(clusterId: string): Promise<ClusterHistory> {
    const history = new ClusterHistory();
    const yielder = new EventLoopYielder();
    for await (const event of this.#store.readStream(clusterStream(clusterId))) {
      history.add(recordedFactOf(clusterId, event));
      if (yielder.isDue) await yielder.yield();
    }
    return history;
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
