import { describe, expect, test } from 'vitest';
import { UnreadableFact } from '../../src/domain/facts/fact.ts';
import { serializeFact } from '../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import type { EventStore, NewEvent, ReadOptions, RecordedEvent } from '../../src/eventstore/event-store.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { recordedFactOf } from '../../src/ledger/cluster-history.ts';
import {
  type CacheOptions,
  ClusterHistoryCache,
  type LoadedHistory,
} from '../../src/ledger/cluster-history-cache.ts';
import { eventId } from '../../src/ledger/event-id.ts';
import { factEvent } from '../../src/ledger/fact-event.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { outlineCluster } from '../../src/projections/queries/outline-cluster.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { anEvent } from '../support/store-events.ts';
import { NOW, registration } from './facts.ts';

/** Counts reads and the events that they return, and says whether other processes may write. */
class CountingStore extends WrappedStore {
  reads = 0;
  events = 0;
  readonly #isSoleWriter: boolean;

  constructor(store: EventStore, isSoleWriter: boolean) {
    super(store);
    this.#isSoleWriter = isSoleWriter;
  }

  override get isSoleWriter(): boolean {
    return this.#isSoleWriter;
  }

  override async *readStream(stream: string, options?: ReadOptions): AsyncGenerator<RecordedEvent> {
    this.reads++;
    for await (const event of super.readStream(stream, options)) {
      this.events++;
      yield event;
    }
  }
}

function registered(clusterId: string): NewEvent {
  const origin = { source: 'urn:test', id: 'a', actor: 'tester' };
  const serialized = serializeFact(registration(clusterId), origin);
  return { id: eventId('test', clusterId), ...serialized, recordedAt: NOW } as NewEvent;
}

async function cacheForTest(isSoleWriter = true, options: CacheOptions = {}) {
  const store = new CountingStore(await sqliteStoreForTest(), isSoleWriter);
  await store.append(clusterStream('c'), [registered('c')], 'absent');
  return { store, cache: new ClusterHistoryCache(store, options) };
}

/** Loads a history as the ledger does, and uses it. */
async function load(cache: ClusterHistoryCache, clusterId: string): Promise<LoadedHistory> {
  const loaded = cache.cached(clusterId) ?? (await cache.reload(clusterId));
  cache.keep(clusterId, loaded.history);
  return loaded;
}

describe('ClusterHistoryCache', () => {
  test('reads the facts of a cluster with their revision, origin and time', async () => {
    const { cache } = await cacheForTest();
    const { history, isFresh } = await load(cache, 'c');
    expect(history.facts).toMatchObject([
      {
        revision: 0,
        order: 0,
        recordedAt: NOW,
        fact: { type: 'ClusterRegistered', clusterId: 'c' },
        origin: { source: 'urn:test', id: 'a', actor: 'tester' },
      },
    ]);
    expect(isFresh).toBe(true);
  });

  test('returns an empty history for an unknown cluster', async () => {
    const { cache } = await cacheForTest();
    const { history, isFresh } = await load(cache, 'unknown');
    expect(history.facts).toEqual([]);
    expect(isFresh).toBe(true);
  });

  test('reads a cluster once, and again after forget() and on reload()', async () => {
    const { store, cache } = await cacheForTest();
    const { history } = await load(cache, 'c');
    expect((await load(cache, 'c')).history).toBe(history);
    expect(store.reads).toBe(1);
    cache.forget('c');
    await load(cache, 'c');
    expect(store.reads).toBe(2);
    await cache.reload('c');
    expect(store.reads).toBe(3);
  });

  test('says that a cached history may be stale if other processes write to the store', async () => {
    const { cache } = await cacheForTest(false);
    expect((await load(cache, 'c')).isFresh).toBe(true);
    expect((await load(cache, 'c')).isFresh).toBe(false);
    expect((await cache.reload('c')).isFresh).toBe(true);
  });

  test.for([true, false])(
    'does not read a new cluster, except if an append to it may have been recorded (only writer: %s)',
    async (isSoleWriter) => {
      const { store, cache } = await cacheForTest(isSoleWriter, {
        isNew: (clusterId) => clusterId === 'new',
      });
      const { history, isFresh } = await load(cache, 'new');
      expect(history.facts).toEqual([]);
      expect(isFresh).toBe(false);
      expect(store.reads).toBe(0);
      await load(cache, 'c');
      expect(store.reads).toBe(1);
      cache.forget('new');
      expect((await load(cache, 'new')).isFresh).toBe(true);
      expect(store.reads).toBe(2);
    },
  );

  test('keeps as many histories as fit into its bytes, the most recently used ones', async () => {
    const { store, cache } = await cacheForTest(true, { maxBytes: 3_000 });
    const clusters = Array.from({ length: 30 }, (_, i) => `c-${i}`);
    for (const cluster of clusters) {
      await store.append(clusterStream(cluster), [registered(cluster)], 'absent');
      await load(cache, cluster);
      await load(cache, 'c-0');
    }
    const reads = store.reads;
    for (const cluster of ['c-29', 'c-28', 'c-0']) await load(cache, cluster);
    expect(store.reads).toBe(reads);
    await load(cache, 'c-1');
    expect(store.reads).toBe(reads + 1);
    // A history that grew is measured again, and may be the only one left.
    const { history } = await load(cache, 'c-0');
    for (let i = 1; i < 20; i++)
      history.add(recordedFactOf('c-0', { ...registered('c-0'), stream: '', revision: i }));
    cache.keep('c-0', history);
    expect((await load(cache, 'c-0')).history).toBe(history);
    const before = store.reads;
    await load(cache, 'c-29');
    expect(store.reads).toBe(before + 1);
  });

  describe('the history of a cluster that has an outline', () => {
    const COUNT = 1_000;

    /** A store and a model with a cluster of many facts. The model lacks the last `missing` ones. */
    async function outlinedForTest(missing = 0) {
      const store = new CountingStore(await sqliteStoreForTest(), true);
      const events = Array.from({ length: COUNT }, (_, i) => {
        const origin = { source: 'urn:test', id: `event-${i}`, actor: 'tester' };
        return factEvent(registration('c', NOW + i), origin, NOW);
      });
      await store.append(clusterStream('c'), events, 'absent');
      const model = new LedgerModel();
      for await (const batch of store.readAll(0))
        for (const event of batch) if (event.position <= COUNT - missing) model.apply(event);
      const cache = new ClusterHistoryCache(store, { outlineOf: (id) => outlineCluster(model, id) });
      return { store, cache, events };
    }

    test('is known after its last event is read', async () => {
      const { store, cache } = await outlinedForTest();
      const origins = [{ source: 'urn:test', id: 'new', actor: 'tester' }];
      const { history, isFresh } = await cache.reload('c', origins);
      expect(history.length).toBe(COUNT);
      expect(isFresh).toBe(true);
      expect(history.known.ownerAt(NOW)).toBe('acme');
      expect(store.events).toBe(1);
    });

    test('gets the facts whose events are posted again, each read once', async () => {
      const { store, cache, events } = await outlinedForTest();
      const origin = { source: 'urn:test', id: 'event-700', actor: 'tester' };
      const { history } = await cache.reload('c', [origin]);
      const found = { eventId: events[700]?.id, revision: 700, fact: registration('c', NOW + 700) };
      expect(history.findByOrigin(origin)).toMatchObject(found);
      expect(store.events).toBe(2);
      expect(history.unread([origin])).toEqual([]);
      expect(history.unread([{ ...origin, id: 'event-701' }])).toEqual([701]);
      await cache.readRepeats('c', history, [origin, { ...origin, id: 'event-701' }]);
      expect(history.findByOrigin({ ...origin, id: 'event-701' })).toMatchObject({ revision: 701 });
      expect(store.events).toBe(3);
    });

    test('is read as a whole if the outline lacks the last fact', async () => {
      const { store, cache } = await outlinedForTest(1);
      const { history } = await cache.reload('c');
      expect(history.facts).toHaveLength(COUNT);
      expect(store.events).toBe(COUNT + 1);
    });
  });

  test('rejects if this release cannot read a fact', async () => {
    const { store, cache } = await cacheForTest();
    await store.append(clusterStream('c'), [anEvent({}, { type: 'ClusterTeleported' })], 0);
    await expect(load(cache, 'c')).rejects.toThrow(UnreadableFact);
  });
});
