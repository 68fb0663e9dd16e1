import { describe, expect, test } from 'vitest';
import { type Cosignature, CosignatureStore } from '../../../src/audit/witness/cosignature-store.ts';
import { StoreFull } from '../../../src/eventstore/store-errors.ts';
import { sqliteStoreForTest } from '../../support/sqlite-store.ts';
import { collect } from '../../support/store-events.ts';

const cosignature = (size: number): Cosignature => ({
  size,
  witness: 'witness.example/w1',
  line: `— witness.example/w1 ${size}`,
});

describe('the stored cosignatures', () => {
  test('are read newest first, and none at the beginning', async () => {
    const stored = new CosignatureStore(await sqliteStoreForTest());
    expect(await stored.newest()).toEqual([]);
    for (const size of [1, 2, 3]) await stored.append(cosignature(size), size);
    expect(await stored.newest()).toEqual([3, 2, 1].map(cosignature));
  });

  test('are events of a state stream, which are not in the log', async () => {
    const store = await sqliteStoreForTest();
    const stored = new CosignatureStore(store);
    await stored.append(cosignature(1), 1_700_000_000_000);
    const [event] = await collect(store.readStream('~log-cosignatures'));
    expect(event).toMatchObject({ type: 'CheckpointCosigned', recordedAt: 1_700_000_000_000 });
    expect([event?.data, event?.metadata]).toEqual([cosignature(1), {}]);
    expect(await store.head()).toBe(0);
  });

  test('are all kept if two replicas append at the same time', async () => {
    const store = await sqliteStoreForTest();
    const replicas = [new CosignatureStore(store), new CosignatureStore(store)];
    await Promise.all(replicas.map((stored, i) => stored.append(cosignature(i), 0)));
    expect((await new CosignatureStore(store).newest()).map(({ size }) => size).sort()).toEqual([0, 1]);
  });

  test('are read back up to the last 100', async () => {
    const store = await sqliteStoreForTest();
    const events = Array.from({ length: 101 }, (_, i) => ({
      id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
      type: 'CheckpointCosigned',
      data: { ...cosignature(i) },
      metadata: {},
      recordedAt: 0,
    }));
    await store.append('~log-cosignatures', events, 'absent');
    const newest = await new CosignatureStore(store).newest();
    expect([newest.length, newest[0]?.size, newest.at(-1)?.size]).toEqual([100, 100, 1]);
  });

  test('lack one that the store does not take', async () => {
    const store = await sqliteStoreForTest();
    const full = {
      readStream: store.readStream.bind(store),
      append: () => Promise.reject(new StoreFull('the disk is full')),
    };
    await expect(new CosignatureStore(full).append(cosignature(1), 0)).rejects.toThrow(
      new StoreFull('the disk is full'),
    );
  });
});
