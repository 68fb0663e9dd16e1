import { describe, expect, test } from 'vitest';
import type { Rejection } from '../../src/domain/facts/rejection.ts';
import { REJECTED_STREAM } from '../../src/domain/stream-table.ts';
import type { EventStore, Expected, NewEvent } from '../../src/eventstore/event-store.ts';
import { StoreFull } from '../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { writeDeadline } from '../../src/ledger/append-with-retry.ts';
import { type RejectedEvent, RejectedEventStore } from '../../src/ledger/rejected-event-store.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { collect } from '../support/store-events.ts';
import { NOW } from './facts.ts';

function rejected(
  id: string,
  code: 'cluster-unknown' | 'event-id-reused' = 'cluster-unknown',
): RejectedEvent {
  const rejection: Rejection = code === 'cluster-unknown' ? { code, named: 'c' } : { code, eventId: 'e' };
  return { source: 'urn:test', id, clusterId: 'c', event: { id }, rejection };
}

/** Counts appends, and rejects the next one if `isFull` is set. */
class FillingStore extends WrappedStore {
  appends = 0;
  isFull = false;

  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    this.appends++;
    if (this.isFull) return Promise.reject(new StoreFull('no space left'));
    return super.append(stream, events, expected);
  }
}

const keptIn = async (store: EventStore) =>
  (await collect(store.readStream(REJECTED_STREAM))).map(({ data }) => [
    data['id'],
    (data['rejection'] as { code: string }).code,
  ]);

describe('RejectedEventStore', () => {
  test('records each rejected event with its reason', async () => {
    const store = await sqliteStoreForTest();
    const events = new RejectedEventStore(store, () => NOW);
    await events.keep([rejected('a'), rejected('b', 'event-id-reused')], writeDeadline());
    expect(await keptIn(store)).toEqual([
      ['a', 'cluster-unknown'],
      ['b', 'event-id-reused'],
    ]);
  });

  test('records a repeat once, and again if the reason has changed', async () => {
    const store = await sqliteStoreForTest();
    const events = new RejectedEventStore(store, () => NOW);
    await events.keep([rejected('a'), rejected('a')], writeDeadline());
    await events.keep([rejected('a')], writeDeadline());
    await events.keep([rejected('a', 'event-id-reused')], writeDeadline());
    expect(await keptIn(store)).toEqual([
      ['a', 'cluster-unknown'],
      ['a', 'event-id-reused'],
    ]);
  });

  test('recognizes repeats of events that an earlier process recorded', async () => {
    const store = await sqliteStoreForTest();
    await new RejectedEventStore(store, () => NOW).keep([rejected('a')], writeDeadline());
    await new RejectedEventStore(store, () => NOW).keep([rejected('a'), rejected('b')], writeDeadline());
    expect((await keptIn(store)).map(([id]) => id)).toEqual(['a', 'b']);
  });

  test('appends after the events of another process that writes at the same time', async () => {
    const store = await sqliteStoreForTest();
    const [one, two] = [new RejectedEventStore(store, () => NOW), new RejectedEventStore(store, () => NOW)];
    await one.keep([rejected('a')], writeDeadline());
    await two.keep([rejected('b')], writeDeadline());
    await one.keep([rejected('c')], writeDeadline());
    expect((await keptIn(store)).map(([id]) => id)).toEqual(['a', 'b', 'c']);
  });

  test('shares one append between events that arrive during another', async () => {
    const store = new FillingStore(await sqliteStoreForTest());
    const events = new RejectedEventStore(store, () => NOW);
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => events.keep([rejected(id)], writeDeadline())));
    expect(store.appends).toBe(2);
    expect(await keptIn(store)).toHaveLength(4);
  });

  test('rejects if the store is full, and works again once there is space', async () => {
    const store = new FillingStore(await sqliteStoreForTest());
    const events = new RejectedEventStore(store, () => NOW);
    store.isFull = true;
    await expect(events.keep([rejected('a')], writeDeadline())).rejects.toThrow(StoreFull);
    store.isFull = false;
    await events.keep([rejected('a')], writeDeadline());
    expect(await keptIn(store)).toHaveLength(1);
  });
});
