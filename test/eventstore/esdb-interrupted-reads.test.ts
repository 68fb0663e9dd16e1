import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import { StoreClosed, StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { type EventStoreDouble, startDouble } from '../eventstoredb/double.ts';
import { startProxy, type TcpProxy } from '../eventstoredb/tcp-proxy.ts';
import { doubleInterruptions } from '../fault/double-interruptions.ts';
import { InterruptedReads } from '../fault/interrupted-reads.ts';
import { anEvent, collect, idsOf, Watcher } from '../support/store-events.ts';
import { eventually, until } from '../support/until.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Short, so that the store detects a fault soon. A slow machine only interrupts more reads. */
const timings = { appendMs: 1_500, readMs: 400, confirmMs: 400, silenceMs: 400, outageMs: 240_000 };

/** Reads of each kind that are in progress when they are interrupted. */
const AT_ONCE = 12;

let double: EventStoreDouble;
let proxy: TcpProxy;
let store: EsdbStore;
let reads: InterruptedReads;

const open = (limits: typeof timings) =>
  new EsdbStore(`esdb://127.0.0.1:${proxy.port}?tls=false`, {
    namespace: 'ledger',
    now: Date.now,
    log,
    timings: limits,
  });

beforeEach(async () => {
  double = await startDouble();
  proxy = await startProxy(double.port);
  store = open(timings);
  reads = await InterruptedReads.on(store, { atOnce: AT_ONCE });
});
afterEach(async () => {
  await store.close();
  await proxy.close();
  await double.close();
});

describe('no read is short without an error', () => {
  test('if more than 1,000 reads of every kind are interrupted in every way', async () => {
    const byInterruption = new Map<string, number>();
    for (let round = 0; reads.total <= 1_000 || round === 0; round++) {
      for (const [name, interruption] of Object.entries(doubleInterruptions(double, proxy))) {
        const interrupted = await reads.interrupt(interruption());
        byInterruption.set(name, (byInterruption.get(name) ?? 0) + interrupted);
        await reads.repeat();
      }
    }
    expect(reads.wrong).toEqual([]);
    expect([...reads.byKind.keys()].toSorted()).toEqual(reads.kinds.toSorted());
    for (const [name, count] of byInterruption) expect(count, name).toBeGreaterThan(0);
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
    expect(idsOf(await eventually(() => collect(store.readStream('a'))))).toEqual(reads.idsIn('a'));
  });

  test('if the store is closed', async () => {
    // Nothing fails before the store is closed, however slow the machine is.
    const patient = open({ ...timings, readMs: 240_000, silenceMs: 240_000 });
    const left = [patient.readStream('a'), patient.readStream('~state'), patient.readAll(0)];
    for (const read of left) await read.next();
    proxy.stall();
    const rest = left.map((read) => collect<unknown>(read));
    await patient.close();
    for (const each of await Promise.allSettled(rest)) {
      if (each.status === 'rejected')
        expect(each.reason instanceof StoreUnavailable || each.reason instanceof StoreClosed).toBe(true);
    }
  });
});

test('a follower misses nothing while the reads around it fail and their client is replaced', async () => {
  const logIds = [...reads.logIds];
  const watcher = new Watcher(store);
  await watcher.until(({ isCaughtUp }) => isCaughtUp);
  for (let i = 0; i < 20; i++) {
    double.failNextRead('unknown');
    await collect(store.readStream('a')).catch(() => undefined);
    const event = anEvent();
    await eventually(() => store.append(`later-${i}`, [event], 'absent'));
    logIds.push(event.id);
  }
  await watcher.until(({ seen }) => seen.length >= logIds.length);
  expect(idsOf(watcher.seen)).toEqual(logIds);
  await watcher.stop();
});

test('keepLast fails with StoreUnavailable if its connection is lost', async () => {
  await eventually(() => store.keepLast('~state', 150));
  double.stopAnsweringWrites();
  const lost = store.keepLast('~state', 5);
  lost.catch(() => undefined);
  await until(() => double.arrivedWrites.at(-1)?.stream === '$$ledger~state');
  proxy.cut();
  await expect(lost).rejects.toThrow(StoreUnavailable);
  double.answerWrites();
  expect(await eventually(() => collect(store.readStream('~state')))).toHaveLength(150);
});
