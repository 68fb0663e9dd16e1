import {
  type AllStreamResolvedEvent,
  binaryEvent,
  type CommandError,
  type EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  type Position,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/until.ts';
import { newEvent, startFixture } from './fixture.ts';

type Filter = NonNullable<Parameters<EventStoreDBClient['subscribeToAll']>[0]>['filter'];

interface Follower {
  /** `stream@revision` of the events that arrived. */
  readonly seen: string[];
  readonly signals: string[];
  readonly errors: unknown[];
  lastPosition(): Position | undefined;
  pause(): void;
  resume(): void;
}

/** Follows $all and writes down what arrives. */
function follow(client: EventStoreDBClient, filter?: Filter, fromPosition?: Position): Follower {
  const subscription = client.subscribeToAll({
    fromPosition: fromPosition ?? START,
    ...(filter === undefined ? {} : { filter }),
  });
  onTestFinished(() => subscription.unsubscribe());
  const seen: string[] = [];
  const signals: string[] = [];
  const errors: unknown[] = [];
  let last: Position | undefined;
  subscription.on('data', ({ event }: AllStreamResolvedEvent) => {
    if (event === undefined) return;
    seen.push(`${event.streamId}@${event.revision}`);
    last = event.position;
  });
  subscription.on('confirmation', () => signals.push('confirmation'));
  subscription.on('caughtUp', () => signals.push('caughtUp'));
  subscription.on('end', () => signals.push('end'));
  subscription.on('error', (error) => errors.push(error));
  return {
    seen,
    signals,
    errors,
    lastPosition: () => last,
    pause: () => subscription.pause(),
    resume: () => subscription.resume(),
  };
}

const notes = streamNameFilter({ prefixes: ['note-'] });

const largeEvent = () => binaryEvent({ type: 'noted', data: new Uint8Array(5_000) });

const revisions = (stream: string, count: number): string[] =>
  Array.from({ length: count }, (_, revision) => `${stream}@${revision}`);

test('a live client that does not read is dropped, and a new subscription goes on without a gap', async () => {
  const { client } = await startFixture();
  const slow = follow(client, notes);
  await eventually(() => expect(slow.signals).toContain('caughtUp'));
  slow.pause();
  for (let written = 0; written < 600; written += 1) await client.appendToStream('note-1', largeEvent());
  slow.resume();
  await eventually(() => expect(slow.errors).toHaveLength(1));
  expect(slow.errors[0]).toMatchObject({
    type: 'timeout',
    code: status.ABORTED,
    message: expect.stringContaining(
      'Consumer too slow to handle event while live. Client resubscription required.',
    ),
  });
  expect(slow.seen.length).toBeGreaterThan(64);
  expect(slow.seen.length).toBeLessThan(600);
  const next = follow(client, notes, slow.lastPosition());
  await eventually(() => expect([...slow.seen, ...next.seen]).toEqual(revisions('note-1', 600)));
});

test('the server waits for a client that does not read while it catches up', async () => {
  const { client } = await startFixture();
  for (let written = 0; written < 600; written += 50) {
    await client.appendToStream('note-1', Array.from({ length: 50 }, largeEvent));
  }
  const slow = follow(client, notes);
  slow.pause();
  await client.appendToStream('other', newEvent());
  slow.resume();
  await eventually(() => expect(slow.seen).toEqual(revisions('note-1', 600)));
  expect(slow.errors).toEqual([]);
});

test.each<[string, Filter, string[]]>([
  ['by stream prefix', streamNameFilter({ prefixes: ['a-', 'b-'] }), ['a-1@0', 'b-1@0', 'b-1@1']],
  ['by stream pattern', streamNameFilter({ regex: '^[ac]-' }), ['a-1@0', 'c-1@0']],
  ['by type prefix', eventTypeFilter({ prefixes: ['blu', 'gre'] }), ['b-1@0', 'c-1@0']],
  ['by type pattern', eventTypeFilter({ regex: 'e.$' }), ['a-1@0', 'c-1@0', 'b-1@1']],
  ['without system events', excludeSystemEvents(), ['a-1@0', 'b-1@0', 'c-1@0', 'b-1@1']],
])('$all can be followed %s', async (_, filter, expected) => {
  const { client } = await startFixture();
  const event = (type: string) => jsonEvent({ type, data: {} });
  await client.appendToStream('a-1', event('red'));
  await client.appendToStream('b-1', event('blue'));
  await client.setStreamMetadata('b-1', { maxCount: 5 });
  await client.appendToStream('c-1', event('green'));
  const follower = follow(client, filter);
  await eventually(() => expect(follower.signals).toContain('caughtUp'));
  await client.appendToStream('b-1', event('red'));
  await eventually(() => expect(follower.seen).toEqual(expected));
});

test('checkpoints arrive at the given interval of events, also live, and never pass an unseen event', async () => {
  const { client, double } = await startFixture();
  const checkpoints: Position[] = [];
  const filter = streamNameFilter({
    prefixes: ['note-'],
    maxSearchWindow: 5,
    checkpointInterval: 2,
    checkpointReached: async (_: unknown, position: Position) => {
      checkpoints.push(position);
    },
  });
  for (let written = 0; written < 25; written += 1) await client.appendToStream('other', newEvent());
  const follower = follow(client, filter);
  await eventually(() => expect(follower.signals).toContain('caughtUp'));
  const whenCaughtUp = checkpoints.length;
  expect(whenCaughtUp).toBe(2);
  for (let written = 0; written < 20; written += 1) await client.appendToStream('other', newEvent());
  await eventually(() => expect(checkpoints.length).toBe(whenCaughtUp + 2));
  const positions = checkpoints.map(({ commit }) => commit);
  expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)));
  expect(positions.every((position) => double.log.all.some((event) => event.position === position))).toBe(
    true,
  );
});

test('a tombstone ends the subscription to its stream', async () => {
  const { client } = await startFixture();
  await client.appendToStream('s', newEvent());
  const subscription = client.subscribeToStream('s');
  const log: unknown[] = [];
  subscription.on('data', ({ event }) => log.push(event?.type));
  subscription.on('caughtUp', () => log.push('caughtUp'));
  subscription.on('error', (error) => log.push((error as CommandError).type));
  await eventually(() => expect(log).toContain('caughtUp'));
  await client.tombstoneStream('s');
  await eventually(() => expect(log).toEqual(['noted', 'caughtUp', '$streamDeleted', 'stream-deleted']));
});

test('a test can end subscriptions as if complete, or with a status', async () => {
  const { client, double } = await startFixture();
  const first = follow(client);
  await eventually(() => expect(double.subscriptionCount).toBe(1));
  double.endSubscriptions();
  await eventually(() => expect(first.signals.at(-1)).toBe('end'));
  expect(first.errors).toEqual([]);
  const second = follow(client);
  await eventually(() => expect(second.signals).toContain('caughtUp'));
  double.endSubscriptions({ code: status.CANCELLED, details: 'shutting down' });
  await eventually(() => expect(second.errors).toEqual([expect.objectContaining({ type: 'cancelled' })]));
  await eventually(() => expect(double.subscriptionCount).toBe(0));
});

test('a silenced subscription stays open and gets nothing, while a new one gets events', async () => {
  const { client, double } = await startFixture();
  const deaf = follow(client, notes);
  await eventually(() => expect(deaf.signals).toContain('caughtUp'));
  double.silenceSubscriptions();
  const hearing = follow(client, notes);
  for (let written = 0; written < 100; written += 1) await client.appendToStream('note-1', newEvent());
  await eventually(() => expect(hearing.seen).toEqual(revisions('note-1', 100)));
  expect(deaf).toMatchObject({ seen: [], errors: [] });
  expect(double.subscriptionCount).toBe(2);
});

test('a new subscription that is silenced gets its confirmation and nothing else', async () => {
  const { client, double } = await startFixture();
  await client.appendToStream('note-1', newEvent());
  double.silenceSubscriptions({ newOnesToo: true });
  const deaf = follow(client, notes);
  await eventually(() => expect(deaf.signals).toEqual(['confirmation']));
  double.serveSubscriptions();
  const hearing = follow(client, notes);
  await eventually(() => expect(hearing.signals).toEqual(['confirmation', 'caughtUp']));
  expect(hearing.seen).toEqual(['note-1@0']);
  expect(deaf).toMatchObject({ seen: [], signals: ['confirmation'], errors: [] });
});
