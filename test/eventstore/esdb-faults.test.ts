import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { Timings } from '../../src/eventstore/esdb/timings.ts';
import { InvalidAppend, StoreUnavailable, VersionConflict } from '../../src/eventstore/store-errors.ts';
import { retryUntil } from '../../src/ledger/append-with-retry.ts';
import { type EventStoreDouble, startDouble } from '../eventstoredb/double.ts';
import { startProxy, type TcpProxy } from '../eventstoredb/tcp-proxy.ts';
import { anEvent, collect, idsOf, readLog, Watcher } from '../support/store-events.ts';
import { PATIENT } from '../support/stores.ts';
import { until } from '../support/until.ts';

const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Short time limits, so that the store detects a fault soon. An answer takes far less time, even on a slow machine. */
const timings = { appendMs: 1_500, readMs: 1_500, confirmMs: 1_500, silenceMs: 2_000, outageMs: 240_000 };

let double: EventStoreDouble;
let proxy: TcpProxy;
let store: EsdbStore;

beforeEach(async () => {
  double = await startDouble();
  proxy = await startProxy(double.port);
  store = open(timings);
});
afterEach(async () => {
  await store.close();
  await proxy.close();
  await double.close();
});

function open(limits: Timings): EsdbStore {
  const connection = `esdb://127.0.0.1:${proxy.port}?tls=false`;
  return new EsdbStore(connection, { namespace: 'ledger', now: Date.now, log: silentLog, timings: limits });
}

const patiently = <T>(attempt: () => Promise<T>) => retryUntil(attempt, performance.now() + 240_000);

/** Appends the first event of a stream, and repeats that until it is acknowledged. */
const appendPatiently = (stream: string) => {
  const event = anEvent();
  return patiently(() => store.append(stream, [event], 'absent'));
};

/** Appends events one at a time, and repeats each append until it is acknowledged. */
async function write(stream: string, count: number, each?: (i: number) => void): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    each?.(i);
    const event = anEvent({ i });
    await patiently(() => store.append(stream, [event], i === 0 ? 'absent' : i - 1));
    ids.push(event.id);
  }
  return ids;
}

describe('EsdbStore.append()', () => {
  test.each(['not-ready', 'busy', 'timeout', 'unavailable', 'cancelled', 'unknown'] as const)(
    'has an unknown outcome if the server answers %s, and its repeat is written once',
    async (failure) => {
      const event = anEvent();
      await appendPatiently('warm');
      for (const [stream, applied] of [
        ['a', true],
        ['b', false],
      ] as const) {
        double.failNextWrite(failure, { applied });
        await expect(store.append(stream, [event], 'absent')).rejects.toThrow(StoreUnavailable);
        expect(await patiently(() => store.append(stream, [event], 'absent'))).toBe(0);
        expect(idsOf(await patiently(() => collect(store.readStream(stream))))).toEqual([event.id]);
      }
    },
  );

  test.each([{ applied: true }, { applied: false }])(
    'rejects at its own deadline if the server never answers (applied: $applied), and its repeat is written once',
    async (how) => {
      await appendPatiently('warm');
      double.stopAnsweringWrites(how);
      const event = anEvent();
      await expect(store.append('a', [event], 'absent')).rejects.toThrow(StoreUnavailable);
      double.answerWrites();
      expect(await patiently(() => store.append('a', [event], 'absent'))).toBe(0);
      expect(idsOf(await patiently(() => collect(store.readStream('a'))))).toEqual([event.id]);
    },
  );

  test('rejects at its deadline if the server accepts connections and does not answer, and works once it answers', async () => {
    proxy.stall();
    await expect(store.append('a', [anEvent()], 'absent')).rejects.toThrow(StoreUnavailable);
    expect(store.health().reachable).toBe(false);
    proxy.resume();
    expect(await appendPatiently('b')).toBe(0);
    await until(() => store.health().reachable);
    expect(store.health()).toMatchObject({ reachable: true, unreachableSince: undefined });
  });

  test('rejects at once if no server listens, and works once one does', async () => {
    await appendPatiently('warm');
    await double.stop('killed');
    await expect(store.append('a', [anEvent()], 'absent')).rejects.toThrow(StoreUnavailable);
    await double.start();
    expect(await appendPatiently('b')).toBe(0);
  });

  test('writes every event of 16 writers exactly once while their connection is cut repeatedly', async () => {
    const written = await Promise.all(
      Array.from({ length: 16 }, (_, writer) =>
        write(`writer-${writer}`, 20, (i) => writer === 0 && i % 4 === 3 && proxy.cut()),
      ),
    );
    for (const [writer, ids] of written.entries()) {
      expect(idsOf(await patiently(() => collect(store.readStream(`writer-${writer}`))))).toEqual(ids);
    }
    expect(await patiently(() => readLog(store))).toHaveLength(16 * 20);
  });

  test('rejects events that would crash the client before they reach it', async () => {
    await expect(store.append('a', [anEvent({}, { id: 'not-a-uuid' })], 'absent')).rejects.toThrow(
      InvalidAppend,
    );
    await expect(store.append('a', [anEvent({}, { type: '' })], 'absent')).rejects.toThrow(InvalidAppend);
    await expect(store.append('a', [anEvent({ n: 1n } as never)], 'absent')).rejects.toThrow(InvalidAppend);
    expect(double.arrivedWrites).toEqual([]);
    const conflicting = patiently(() => store.append('a', [anEvent()], 3));
    await expect(conflicting).rejects.toThrow(VersionConflict);
    expect(await appendPatiently('a')).toBe(0);
  });

  test('writes in the order of the calls, also on a new connection', async () => {
    const patient = open(PATIENT);
    const events = Array.from({ length: 50 }, () => anEvent());
    await Promise.all(events.map((event, i) => patient.append(`s-${i}`, [event], 'absent')));
    expect(idsOf(await readLog(patient))).toEqual(idsOf(events));
    await patient.close();
  });
});

describe('EsdbStore.follow()', () => {
  const disturbances: [string, () => void | Promise<void>][] = [
    ['dropped connections', () => proxy.cut()],
    ['subscriptions that end without an error', () => double.endSubscriptions()],
    [
      'subscriptions that end with an error',
      () => double.endSubscriptions({ code: status.UNAVAILABLE, details: 'node is going away' }),
    ],
    ['subscriptions that become silent', () => double.silenceSubscriptions()],
    ['restarts of the server', () => double.restart('stopped')],
    ['crashes of the server', () => double.restart('killed')],
    [
      'subscriptions that are refused',
      () => {
        double.failNextRead('not-ready');
        double.endSubscriptions({ code: status.INTERNAL, details: 'Received RST_STREAM with code 0' });
      },
    ],
  ];

  test.each(disturbances)('misses and repeats no event despite %s', async (_, disturb) => {
    const watcher = new Watcher(store);
    await watcher.until(({ isCaughtUp }) => isCaughtUp);
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      ids.push(...(await write(`round-${round}`, 5)));
      await disturb();
      ids.push(...(await write(`after-${round}`, 5)));
    }
    await watcher.until(({ seen }) => seen.length >= ids.length);
    expect(idsOf(watcher.seen)).toEqual(ids);
    expect(watcher.seen.map(({ position }) => position)).toEqual(ids.map((_, i) => i + 1));
    await watcher.stop();
  });

  test('misses no event if the server drops it because it is too slow', async () => {
    const follower = new AbortController();
    const seen: string[] = [];
    const text = 'x'.repeat(5_000);
    const total = 1_200;
    const following = (async () => {
      for await (const { events } of store.follow(0, follower.signal)) {
        seen.push(...idsOf(events));
        // A slow consumer: it continues only when the next hundred events are on the server.
        await until(() => writes.length >= Math.min(total, seen.length + 400));
        if (seen.length >= total) follower.abort();
      }
    })();
    const writes: string[] = [];
    for (let i = 0; i < total; i += 100) {
      const events = Array.from({ length: 100 }, () => anEvent({ text }));
      await patiently(() => store.append(`s-${i}`, events, 'absent'));
      writes.push(...idsOf(events));
    }
    await following;
    expect(seen).toEqual(writes);
  });

  test('waits for a server that has not started yet', async () => {
    await double.stop('killed');
    const watcher = new Watcher(store);
    await until(() => !store.health().reachable);
    await double.start();
    await watcher.until(({ isCaughtUp }) => isCaughtUp);
    await until(() => store.health().reachable);
    await watcher.stop();
  });
});

describe('EsdbStore leaks nothing', () => {
  test('on the server when a read, the log or a follower is left early', async () => {
    const patient = open(PATIENT);
    await patient.append(
      'a',
      Array.from({ length: 500 }, () => anEvent({ text: 'x'.repeat(500) })),
      'absent',
    );
    for await (const _ of patient.readStream('a')) break;
    for await (const _ of patient.readAll(0)) break;
    for await (const _ of patient.follow(0, new AbortController().signal)) break;
    await until(() => double.subscriptionCount === 0);
    await patient.close();
  });

  test('when a silent server makes it replace its client repeatedly', async () => {
    proxy.stall();
    for (let i = 0; i < 3; i++) {
      await expect(store.append('a', [anEvent()], 'absent')).rejects.toThrow(StoreUnavailable);
      await expect(collect(store.readStream('a'))).rejects.toThrow(StoreUnavailable);
    }
    proxy.resume();
    await until(() => store.health().reachable);
    expect(await appendPatiently('b')).toBe(0);
    await until(() => proxy.connections <= 3);
  });
});
