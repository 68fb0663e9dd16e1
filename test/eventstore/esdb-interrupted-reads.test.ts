import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { LogEvent, RecordedEvent } from '../../src/eventstore/event-store.ts';
import { lastRevision } from '../../src/eventstore/last-revision.ts';
import { StoreClosed, StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { retryUntil } from '../../src/ledger/append-with-retry.ts';
import { type EventStoreDouble, startDouble } from '../eventstoredb/double.ts';
import { startProxy, type TcpProxy } from '../eventstoredb/tcp-proxy.ts';
import { anEvent, collect, idsOf, readLog, Watcher } from '../support/store-events.ts';
import { until } from '../support/until.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Short, so that the store detects a fault soon. A slow machine only interrupts more reads. */
const timings = { appendMs: 1_500, readMs: 400, confirmMs: 400, silenceMs: 400, outageMs: 5_000 };

const STREAM_EVENTS = 200;
const STREAMS = ['a', 'b', 'c'];
/** Reads of each kind that are in progress when they are interrupted. */
const AT_ONCE = 24;

let double: EventStoreDouble;
let proxy: TcpProxy;
let store: EsdbStore;
/** Ids of the events of each stream, and of the log. */
let ids: Map<string, string[]>;
let logIds: string[];
/** Events received by the reads in progress, and what happens once there are enough. */
let received = 0;
let onReceived: () => void = () => undefined;

beforeEach(async () => {
  double = await startDouble();
  proxy = await startProxy(double.port);
  const options = { namespace: 'ledger', now: Date.now, log, timings };
  store = new EsdbStore(`esdb://127.0.0.1:${proxy.port}?tls=false`, options);
  ids = new Map();
  for (const stream of [...STREAMS, '~state']) {
    const events = Array.from({ length: STREAM_EVENTS }, (_, i) => anEvent({ i, text: 'x'.repeat(200) }));
    await patiently(() => store.append(stream, events, 'absent'));
    ids.set(stream, idsOf(events));
  }
  logIds = idsOf(await patiently(() => readLog(store)));
});
afterEach(async () => {
  await store.close();
  await proxy.close();
  await double.close();
});

const patiently = <T>(attempt: () => Promise<T>) => retryUntil(attempt, performance.now() + 240_000);

/** A read, and the answer that it must give if it gives one. */
interface Read {
  readonly answer: () => Promise<unknown>;
  readonly expected: unknown;
}

async function idsRead(events: AsyncIterable<RecordedEvent | readonly LogEvent[]>): Promise<string[]> {
  const read: string[] = [];
  for await (const each of events) {
    const some = 'id' in each ? [each] : each;
    read.push(...idsOf(some));
    received += some.length;
    onReceived();
  }
  return read;
}

/** Every way to read. */
function readsOf(stream: string): Record<string, Read> {
  const own = ids.get(stream) ?? [];
  const state = ids.get('~state') ?? [];
  return {
    'a stream': { answer: () => idsRead(store.readStream(stream)), expected: own },
    'a stream backwards': {
      answer: () => idsRead(store.readStream(stream, { direction: 'backwards' })),
      expected: own.toReversed(),
    },
    'a part of a stream': {
      answer: () => idsRead(store.readStream(stream, { from: 20, limit: 150 })),
      expected: own.slice(20, 170),
    },
    'a state stream': { answer: () => idsRead(store.readStream('~state')), expected: state },
    'the end of a stream': { answer: () => lastRevision(store, stream), expected: own.length - 1 },
    'the log': { answer: () => idsRead(store.readAll(0)), expected: logIds },
    'the end of the log': { answer: () => idsRead(store.readAll(500)), expected: logIds.slice(500) },
    'the length of the log': { answer: () => store.head(), expected: logIds.length },
  };
}

interface Interruption {
  readonly interrupt: () => void | Promise<void>;
  readonly heal?: () => void | Promise<void>;
}

const interruptions: Record<string, () => Interruption> = {
  'the connection is cut': () => ({ interrupt: () => proxy.cut() }),
  'the server hangs': () => ({ interrupt: () => proxy.stall(), heal: () => proxy.resume() }),
  'the server stops and starts': () => ({ interrupt: () => double.restart('stopped') }),
  'the server is killed and starts': () => ({ interrupt: () => double.restart('killed') }),
  'the server is gone for a while': () => ({
    interrupt: () => double.stop('killed'),
    heal: () => double.start(),
  }),
  'the server is busy': () => ({ interrupt: () => failReads('busy') }),
  'the server is not ready': () => ({ interrupt: () => failReads('not-ready') }),
  'the server cancels the reads': () => ({ interrupt: () => failReads('cancelled') }),
  'the server answers an unknown error': () => ({ interrupt: () => failReads('unknown') }),
  'another node became the leader': () => ({
    interrupt: () => failReads({ notLeader: { host: '127.0.0.1', port: proxy.port } }),
  }),
};

function failReads(failure: Parameters<EventStoreDouble['failReadsInProgress']>[0]): void {
  double.failReadsInProgress(failure);
  double.endSubscriptions({ code: 13, details: 'Received RST_STREAM with code 0' });
}

/**
 * Starts reads of every kind and interrupts them.
 * @param after number of events that the reads have received by then.
 * @returns how many threw, by kind.
 */
async function interruptReads(
  after: number,
  { interrupt, heal }: Interruption,
): Promise<Map<string, number>> {
  received = 0;
  const interrupted = new Promise<void>((resolve, reject) => {
    onReceived = () => {
      if (received < after) return;
      onReceived = () => undefined;
      Promise.resolve(interrupt()).then(resolve, reject);
    };
  });
  const thrown = new Map<string, number>();
  const reads = Array.from({ length: AT_ONCE }, (_, i) =>
    Object.entries(readsOf(STREAMS[i % STREAMS.length] as string)).map(
      async ([kind, { answer, expected }]) => {
        try {
          expect(await answer(), kind).toEqual(expected);
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          thrown.set(kind, (thrown.get(kind) ?? 0) + 1);
        }
      },
    ),
  );
  onReceived();
  await interrupted;
  await Promise.all(reads.flat());
  await heal?.();
  return thrown;
}

describe('no read is short without an error', () => {
  test('if more than 1,000 reads of every kind are interrupted in every way', async () => {
    const byKind = new Map<string, number>();
    const byInterruption = new Map<string, number>();
    const total = () => [...byKind.values()].reduce((sum, count) => sum + count, 0);
    for (let round = 0; total() <= 1_000; round++) {
      for (const [name, interruption] of Object.entries(interruptions)) {
        const thrown = await interruptReads(((round * 37) % 11) * 150, interruption());
        for (const [kind, count] of thrown) {
          byKind.set(kind, (byKind.get(kind) ?? 0) + count);
          byInterruption.set(name, (byInterruption.get(name) ?? 0) + count);
        }
        for (const { answer, expected } of Object.values(readsOf('a')))
          expect(await patiently(answer)).toEqual(expected);
      }
    }
    expect([...byKind.keys()].toSorted()).toEqual(Object.keys(readsOf('a')).toSorted());
    expect([...byInterruption.keys()].toSorted()).toEqual(Object.keys(interruptions).toSorted());
  });

  test('if another read failed, so that the client was replaced', async () => {
    proxy.stall();
    const first = collect(store.readStream('a'));
    // It begins later, so that it is in progress when the first one has failed.
    await until(() => proxy.connections > 0);
    const second = first.catch(() => collect(store.readStream('a')));
    await expect(first).rejects.toThrow(StoreUnavailable);
    const later = collect(store.readStream('a'));
    await expect(second).rejects.toThrow(StoreUnavailable);
    await expect(later).rejects.toThrow(StoreUnavailable);
    proxy.resume();
    expect(idsOf(await patiently(() => collect(store.readStream('a'))))).toEqual(ids.get('a'));
  });

  test('if the store is closed', async () => {
    for (const read of [store.readStream('a'), store.readAll(0)]) await read.next();
    const reads = [store.readStream('a'), store.readStream('~state'), store.readAll(0)];
    for (const read of reads) await read.next();
    proxy.stall();
    const rest = reads.map((read) => collect<unknown>(read));
    await store.close();
    for (const each of await Promise.allSettled(rest)) {
      if (each.status === 'rejected')
        expect(each.reason instanceof StoreUnavailable || each.reason instanceof StoreClosed).toBe(true);
    }
  });
});

test('a follower misses nothing while the reads around it fail and their client is replaced', async () => {
  const watcher = new Watcher(store);
  await watcher.until(({ isCaughtUp }) => isCaughtUp);
  for (let i = 0; i < 20; i++) {
    double.failNextRead('unknown');
    await collect(store.readStream('a')).catch(() => undefined);
    const event = anEvent();
    await patiently(() => store.append(`later-${i}`, [event], 'absent'));
    logIds.push(event.id);
  }
  await watcher.until(({ seen }) => seen.length >= logIds.length);
  expect(idsOf(watcher.seen)).toEqual(logIds);
  await watcher.stop();
});

test('keepLast fails with StoreUnavailable if its connection is lost', async () => {
  await store.keepLast('~state', 150);
  double.stopAnsweringWrites();
  const lost = store.keepLast('~state', 5);
  lost.catch(() => undefined);
  await until(() => double.arrivedWrites.at(-1)?.stream === '$$ledger~state');
  proxy.cut();
  await expect(lost).rejects.toThrow(StoreUnavailable);
  double.answerWrites();
  expect(await patiently(() => collect(store.readStream('~state')))).toHaveLength(150);
});
