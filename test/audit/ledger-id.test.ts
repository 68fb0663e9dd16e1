import { describe, expect, test } from 'vitest';
import { ledgerId } from '../../src/audit/ledger-id.ts';
import { StoreFull } from '../../src/eventstore/store-errors.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { collect } from '../support/store-events.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the id of a ledger', () => {
  test('is created once, in a state stream, and is the same ever after', async () => {
    const store = await sqliteStoreForTest();
    const id = await ledgerId(store, () => 1_700_000_000_000);
    expect(id).toMatch(UUID);
    expect(await ledgerId(store, () => 1_800_000_000_000)).toBe(id);
    const [event, ...more] = await collect(store.readStream('~ledger'));
    expect(event).toMatchObject({ id, type: 'LedgerCreated', recordedAt: 1_700_000_000_000 });
    expect([event?.data, event?.metadata, more]).toEqual([{ ledgerId: id }, {}, []]);
    expect(await store.head()).toBe(0);
  });

  test('is the same for replicas that start at the same time', async () => {
    const store = await sqliteStoreForTest();
    const ids = await Promise.all(Array.from({ length: 4 }, () => ledgerId(store, () => 0)));
    expect(new Set(ids).size).toBe(1);
    expect(await collect(store.readStream('~ledger'))).toHaveLength(1);
  });

  test('is that of the first event of its stream', async () => {
    const store = await sqliteStoreForTest();
    const event = (n: number) => ({
      id: `00000000-0000-4000-8000-00000000000${n}`,
      type: 'LedgerCreated',
      data: { ledgerId: `ledger ${n}` },
      metadata: {},
      recordedAt: 0,
    });
    await store.append('~ledger', [event(1), event(2)], 'absent');
    expect(await ledgerId(store, () => 0)).toBe('ledger 1');
  });

  test('is not created if the store does not take it', async () => {
    const store = await sqliteStoreForTest();
    const full = {
      readStream: store.readStream.bind(store),
      append: () => Promise.reject(new StoreFull('the disk is full')),
    };
    await expect(ledgerId(full, () => 0)).rejects.toThrow(new StoreFull('the disk is full'));
  });
});
