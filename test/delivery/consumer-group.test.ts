import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConsumerGroup, type GroupOptions, type Handled } from '../../src/delivery/groups/consumer-group.ts';
import { GroupStateFile } from '../../src/delivery/groups/group-state.ts';
import { LogTail } from '../../src/delivery/log-tail.ts';
import type { EventStore, LogEvent } from '../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { Projections } from '../../src/projections/projections.ts';
import { until } from '../support/until.ts';

const QUIET: GroupOptions['log'] & { error: () => undefined } = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const EVENTS = 700;
/** More than a group keeps in memory. */
const BEHIND = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A store whose reads of the log can break off, as those of a server do. */
class BreakingStore extends WrappedStore {
  /** Number of batches after which a read breaks off. */
  breaksAfter = Number.POSITIVE_INFINITY;
  reads = 0;

  override async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    this.reads += 1;
    let batches = 0;
    for await (const events of super.readAll(after)) {
      if (batches === this.breaksAfter) throw new StoreUnavailable('the connection broke');
      batches += 1;
      yield events;
    }
  }
}

/** A log of events, each of its own cluster. */
async function logOf(count: number) {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-group-'));
  const sqlite = await SqliteStore.open(join(folder, 'ledger.db'));
  const projections = new Projections(sqlite, { log: QUIET });
  onTestFinished(async () => {
    await projections.stop();
    await sqlite.close();
    await rm(folder, { recursive: true });
  });
  const tail = new LogTail(sqlite, projections);
  projections.start();
  const event = { type: 'Noted', data: {}, metadata: {}, recordedAt: 0 };
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      sqlite.append(`s-${i}`, [{ ...event, id: randomUUID() }], 'absent'),
    ),
  );
  await until(() => tail.head === count);
  const store = new BreakingStore(sqlite);
  // A tail that has nothing in memory, as after a start.
  return { sqlite, tail, store, coldTail: new LogTail(store, projections) };
}

/** A log of events of which the group has handed out none before it was stopped. */
async function stoppedGroup() {
  const { sqlite, tail, store, coldTail } = await logOf(EVENTS);
  const refuse = (): Handled => ({ outcome: 'retry', reason: 'the receiver is down' });
  const { group } = groupOn(sqlite, tail, refuse, Date.now);
  await runUntil(group, () => group.status.outstanding === EVENTS);
  return { store, tail: coldTail };
}

/** @param now by default the clock of a time when a receiver that was down is asked again. */
function groupOn(
  store: EventStore,
  tail: LogTail,
  answer: (event: LogEvent) => Handled,
  now = () => Date.now() + MINUTE_MS,
  more: Partial<GroupOptions> = {},
) {
  const handled: number[] = [];
  const group = new ConsumerGroup({
    tail,
    state: new GroupStateFile(store, 'test'),
    from: 0,
    select: ({ stream, type }) => ({ key: stream, type, subject: stream }),
    handle: async (event) => {
      handled.push(event.position);
      return answer(event);
    },
    onStopped: async () => undefined,
    giveUpAfterMs: Number.POSITIVE_INFINITY,
    now,
    log: QUIET,
    ...more,
  });
  return { group, handled };
}

async function runUntil(group: ConsumerGroup, holds: () => boolean | Promise<boolean>): Promise<void> {
  const stop = new AbortController();
  const running = group.run(stop.signal);
  await until(holds);
  stop.abort();
  await running;
}

test('a group whose store breaks off while it reads its messages again hands each out once', async () => {
  const { store, tail } = await stoppedGroup();
  store.breaksAfter = 1;
  const { group, handled } = groupOn(store, tail, () => ({ outcome: 'ack' }));
  await runUntil(group, () => {
    if (group.status.outstanding > 0) store.breaksAfter = Number.POSITIVE_INFINITY;
    return handled.length >= EVENTS && group.status.outstanding === 0;
  });
  expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: EVENTS }, (_, i) => i + 1));
});

test('a group that is stopped before it has read its messages again forgets none of them', async () => {
  const { store, tail } = await stoppedGroup();
  store.breaksAfter = 1;
  const first = groupOn(store, tail, () => ({ outcome: 'ack' }));
  await runUntil(first.group, () => first.group.status.outstanding > 0);
  store.breaksAfter = Number.POSITIVE_INFINITY;
  const second = groupOn(store, tail, () => ({ outcome: 'ack' }));
  await runUntil(
    second.group,
    () => second.handled.length >= EVENTS && second.group.status.outstanding === 0,
  );
  expect(new Set(second.handled).size).toBe(EVENTS);
});

test('a group that is far behind reads each part of the log once', async () => {
  const { store, coldTail } = await logOf(BEHIND);
  const { group, handled } = groupOn(store, coldTail, () => ({ outcome: 'ack' }));
  await runUntil(group, () => handled.length === BEHIND);
  expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: BEHIND }, (_, i) => i + 1));
  expect(store.reads).toBeLessThan(BEHIND / 100);
});

test('a group reads past the messages of a cluster that fails, up to its limit', async () => {
  const { store, coldTail } = await logOf(BEHIND);
  const { group, handled } = groupOn(
    store,
    coldTail,
    ({ position }) =>
      position % 2 === 0 ? { outcome: 'ack' } : { outcome: 'retry', reason: 'not this one' },
    Date.now,
  );
  await runUntil(group, () => group.status.checkpoint === BEHIND && group.status.outstanding === BEHIND / 2);
  expect(new Set(handled).size).toBe(BEHIND);
});

test('a group with as many messages outstanding as it may have says that it reads no further, and goes on later without a loss', async () => {
  const { store, tail } = await stoppedGroup();
  const maxOutstanding = 100;
  const warnings: string[] = [];
  const log = { ...QUIET, warn: (_: unknown, message?: string) => void warnings.push(String(message)) };
  let isUp = false;
  let most = 0;
  const answer = (): Handled => {
    most = Math.max(most, group.status.outstanding);
    return isUp ? { outcome: 'ack' } : { outcome: 'retry', reason: 'the receiver is down' };
  };
  const state = new GroupStateFile(store, 'bounded');
  const { group, handled } = groupOn(store, tail, answer, undefined, { maxOutstanding, state, log });
  await runUntil(group, () => {
    if (group.status.outstanding === maxOutstanding && warnings.length > 0) isUp = true;
    return isUp && group.status.checkpoint === EVENTS && group.status.outstanding === 0;
  });
  expect(most).toBe(maxOutstanding);
  expect(warnings[0]).toContain('100 messages are outstanding or parked');
  // Not again for each message that makes room for another one.
  expect(warnings.length).toBeLessThan(20);
  expect(new Set(handled).size).toBe(EVENTS);
});

test('the pause that a receiver asks for lasts through a restart', async () => {
  const { store, coldTail } = await logOf(1);
  const now = Date.now();
  const state = new GroupStateFile(store, 'asked');
  const answer = (): Handled => ({ outcome: 'retry', reason: 'too many requests', pauseMs: HOUR_MS });
  const { group } = groupOn(store, coldTail, answer, () => now, { state });
  await runUntil(group, () => group.status.attempts.length === 1);
  expect((await state.read())?.tried).toMatchObject([{ position: 1, dueAt: now + HOUR_MS }]);
});

test.each([
  ['is parked after eight attempts', { onParked: () => undefined }, 8],
  ['is tried on and on if its group does not park', {}, 10],
])('a message that is refused while others are taken %s', async (_, more, attempts) => {
  const { store, coldTail } = await logOf(20);
  let now = Date.now();
  let tries = 0;
  const answer = ({ position }: LogEvent): Handled => {
    if (position === 1) tries += 1;
    return position === 1 && tries < 10 ? { outcome: 'retry', reason: 'refused' } : { outcome: 'ack' };
  };
  const { group } = groupOn(store, coldTail, answer, () => now, more);
  await runUntil(group, () => {
    now += HOUR_MS;
    return group.status.checkpoint === 20 && group.status.outstanding === 0;
  });
  expect(tries).toBe(attempts);
});
