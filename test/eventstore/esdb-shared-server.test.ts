import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import { lastRevision } from '../../src/eventstore/last-revision.ts';
import { retryUntil } from '../../src/ledger/append-with-retry.ts';
import { type EventStoreDouble, startDouble } from '../eventstoredb/double.ts';
import { anEvent, collect, idsOf, readLog, Watcher } from '../support/store-events.ts';
import { PATIENT } from '../support/stores.ts';
import { eventually, until } from '../support/until.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Nothing fails, however slow the machine is. */
const timings = PATIENT;
/** Replaces a silent subscription soon. */
const IMPATIENT = { ...PATIENT, silenceMs: 300 };
const minGapBytes = 200_000;

let double: EventStoreDouble;
let foreign: EventStoreDBClient;
const opened: EsdbStore[] = [];

beforeEach(async () => {
  double = await startDouble();
  foreign = EventStoreDBClient.connectionString(double.url);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await foreign.dispose();
  await double.close();
});

function open(limits = timings): EsdbStore {
  const store = new EsdbStore(double.url, {
    namespace: 'ledger',
    now: Date.now,
    log,
    timings: limits,
    minGapBytes,
  });
  opened.push(store);
  return store;
}

const patiently = <T>(attempt: () => Promise<T>) => retryUntil(attempt, performance.now() + 240_000);

async function writeOwn(store: EsdbStore, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => anEvent());
  await patiently(() => store.append(`own-${randomUUID()}`, events, 'absent'));
  return idsOf(events);
}

/** Writes events of another application. */
async function writeForeign(count: number): Promise<void> {
  for (let written = 0; written < count; written += 500) {
    const events = Array.from({ length: 500 }, (_, i) =>
      jsonEvent({ type: 'foreign', data: { i, text: 'x'.repeat(100) } }),
    );
    await foreign.appendToStream(`foreign-${randomUUID()}`, events);
  }
}

/** Waits until the gap behind an event is stored, except for an end that is not worth storing. */
async function gapStored(store: EsdbStore, number: number): Promise<void> {
  await until(async () => {
    const [newest] = await patiently(() =>
      collect(store.readStream('~log-gaps', { direction: 'backwards', limit: 1 })),
    );
    if (newest?.data['number'] !== number) return false;
    return double.log.end - BigInt(newest.data['commit'] as string) < 2 * minGapBytes;
  });
}

/** Returns how many events subscriptions have made the server look at since. */
const consideredSince = (before: number) => double.eventsConsidered - before;

describe('a log on a server with 20,000 events of another application', () => {
  test('is not read again by an idle follower, whose subscription is replaced whenever the server is silent', async () => {
    const store = open(IMPATIENT);
    await writeOwn(store, 5);
    await writeForeign(20_000);
    const watcher = new Watcher(store);
    await watcher.until(({ isCaughtUp }) => isCaughtUp);
    const before = double.eventsConsidered;
    const subscriptions = double.subscriptionStarts.length;
    await until(() => double.subscriptionStarts.length >= subscriptions + 3);
    expect(consideredSince(before)).toBeLessThan(100);
    const later = await writeOwn(store, 3);
    await watcher.until(({ seen }) => seen.length === 8);
    expect(idsOf(watcher.seen.slice(5))).toEqual(later);
    await watcher.stop();
  });

  test('is read from its marks and gaps by the next process, whose numbers are the same', async () => {
    const store = open();
    const watcher = new Watcher(store);
    const ids = await writeOwn(store, 5);
    const ends: bigint[] = [];
    const roundOf = (start: bigint | 'end' = 'end') => ends.findIndex((end) => Number(start) <= end) + 1;
    for (let round = 0; round < 3; round++) {
      await writeForeign(6_000);
      await gapStored(store, ids.length);
      ends.push(double.log.end);
      ids.push(...(await writeOwn(store, 2)));
      await watcher.until(({ seen }) => seen.length === ids.length);
    }
    await writeForeign(2_000);
    await gapStored(store, ids.length);
    ends.push(double.log.end);
    await watcher.stop();

    const earlier = double.subscriptionStarts.length;
    const next = open();
    const follower = new Watcher(next);
    await follower.until(({ isCaughtUp }) => isCaughtUp);
    expect(idsOf(follower.seen)).toEqual(ids);
    expect(follower.seen.map(({ position }) => position)).toEqual(ids.map((_, i) => i + 1));
    expect(idsOf(await patiently(() => readLog(next, 7)))).toEqual(ids.slice(7));
    expect(await patiently(() => next.head())).toBe(ids.length);
    const starts = double.subscriptionStarts.slice(earlier);
    // The follower begins once at the start and then behind each of the four gaps.
    expect(starts[0]).toBe(0n);
    expect(starts.slice(1, 5).map((start) => roundOf(start))).toEqual([1, 2, 3, 4]);
    expect(roundOf(starts.at(-1))).toBe(4);
    await follower.stop();
  });

  test('loses no event that was written while a subscription caught up or was being replaced', async () => {
    const store = open();
    const watcher = new Watcher(store);
    const ids: string[] = [];
    for (let round = 0; round < 30; round++) {
      await Promise.all([
        writeForeign(500),
        writeOwn(store, 1).then((own) => ids.push(...own)),
        round % 3 === 0 ? double.endSubscriptions() : undefined,
      ]);
    }
    await watcher.until(({ seen }) => seen.length === ids.length);
    expect(idsOf(watcher.seen)).toEqual(ids);
    const next = open();
    expect(idsOf(await patiently(() => readLog(next)))).toEqual(ids);
    await watcher.stop();
  });

  test('waits if a node is behind what was read, such as a follower that lags or a restored server', async () => {
    const store = open();
    await writeOwn(store, 5);
    const watcher = new Watcher(store);
    await watcher.until(({ isCaughtUp }) => isCaughtUp);
    const behind = await startDouble();
    double.readLogOf(behind);
    double.endSubscriptions();
    await until(() => store.health().detail?.includes('lags behind') === true);
    double.readLogOf(double);
    const later = await writeOwn(store, 1);
    await watcher.until(({ seen }) => seen.length === 6);
    expect(idsOf(watcher.seen.slice(5))).toEqual(later);
    await watcher.stop();
    await behind.close();
  });

  test('answers no read from a node that lacks what was acknowledged, such as a former leader', async () => {
    const store = open();
    await writeOwn(store, 5);
    expect(await readLog(store)).toHaveLength(5);
    const behind = await startDouble();
    double.readLogOf(behind);
    await store.append('a', [anEvent()], 'absent');
    const reads = [
      () => collect(store.readStream('a')),
      () => collect(store.readStream('a', { direction: 'backwards', limit: 1 })),
      () => lastRevision(store, 'a'),
      () => readLog(store),
      () => store.head(),
    ];
    for (const read of reads) await expect(read()).rejects.toThrow('lags behind');
    double.readLogOf(double);
    expect(await eventually(() => collect(store.readStream('a')))).toHaveLength(1);
    expect(await eventually(() => store.head())).toBe(6);
    await behind.close();
  });
});
