import { randomUUID } from 'node:crypto';
import { convertToCommandError, ErrorType, type EventStoreDBClient } from '@eventstore/db-client';
import { expect, test } from 'vitest';
import { eventually } from '../support/until.ts';
import type { ReadFailure, WriteFailure } from './double/faults.ts';
import { connect, newEvent, startFixture, startFixtureBehindProxy, watch } from './fixture.ts';

const withCredentials = { credentials: { username: 'admin', password: 'changeit' } };

const elsewhere = { notLeader: { host: '127.0.0.1', port: 9 } };

/** The error as the client's own classes name it: on the batch path it may be a bare one of gRPC. */
async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'no failure',
    (error: Error) => convertToCommandError(error),
  );
}

const readBodies = async (client: EventStoreDBClient, stream: string): Promise<unknown[]> => {
  const events = await client.readStream(stream).toArray();
  return events.map(({ event }) => event?.data.body);
};

test.each<[WriteFailure, object]>([
  ['not-ready', { type: ErrorType.UNKNOWN, message: 'Could not recognize Server Is Not Ready' }],
  ['busy', { type: ErrorType.UNKNOWN, message: 'Could not recognize Server Is Busy' }],
  ['timeout', { type: ErrorType.DEADLINE_EXCEEDED }],
  ['wrong-expected-revision', { type: ErrorType.WRONG_EXPECTED_VERSION, actualVersion: 0n }],
  ['stream-deleted', { type: ErrorType.STREAM_DELETED }],
  ['access-denied', { type: ErrorType.ACCESS_DENIED }],
  ['unknown', { type: ErrorType.UNKNOWN }],
  ['unavailable', { type: ErrorType.UNAVAILABLE }],
  ['cancelled', { type: ErrorType.CANCELLED }],
  [elsewhere, { type: ErrorType.NOT_LEADER, leader: { address: '127.0.0.1', port: 9 } }],
])('an append on the shared call can fail as %s', async (order, expected) => {
  const { client, double } = await startFixture();
  await client.appendToStream('s', newEvent('a'));
  double.failNextWrite(order);
  expect(await failure(client.appendToStream('s', newEvent('b')))).toMatchObject(expected);
  expect(double.log.eventsOf('s')).toHaveLength(1);
});

test.each<[WriteFailure, object]>([
  ['not-ready', { type: ErrorType.UNAVAILABLE }],
  ['busy', { type: ErrorType.UNAVAILABLE }],
  ['timeout', { type: ErrorType.TIMEOUT }],
  ['wrong-expected-revision', { type: ErrorType.WRONG_EXPECTED_VERSION, actualVersion: 0n }],
  ['stream-deleted', { type: ErrorType.STREAM_DELETED }],
  ['access-denied', { type: ErrorType.ACCESS_DENIED }],
  ['unknown', { type: ErrorType.UNKNOWN }],
  ['unavailable', { type: ErrorType.UNAVAILABLE }],
  ['cancelled', { type: ErrorType.CANCELLED }],
  [elsewhere, { type: ErrorType.NOT_LEADER, leader: { address: '127.0.0.1', port: 9 } }],
])('an append on a call of its own can fail as %s', async (order, expected) => {
  const { client, double } = await startFixture();
  await client.appendToStream('s', newEvent('a'));
  double.failNextWrite(order);
  expect(await failure(client.appendToStream('s', newEvent('b'), withCredentials))).toMatchObject(expected);
});

test.each<[ReadFailure, ErrorType]>([
  ['not-ready', ErrorType.UNAVAILABLE],
  ['busy', ErrorType.UNAVAILABLE],
  ['access-denied', ErrorType.ACCESS_DENIED],
  ['unknown', ErrorType.UNKNOWN],
  ['unavailable', ErrorType.UNAVAILABLE],
  ['cancelled', ErrorType.CANCELLED],
  [elsewhere, ErrorType.NOT_LEADER],
])('a read can fail as %s', async (order, type) => {
  const { client, double } = await startFixture();
  double.failNextRead(order);
  await expect(client.readAll().toArray()).rejects.toMatchObject({ type });
});

test('a write that fails may have been applied', async () => {
  const { client, double } = await startFixture();
  double.failNextWrite('timeout', { applied: true });
  const event = newEvent('a');
  const append = () => client.appendToStream('s', event, { expectedRevision: 'no_stream' });
  expect(await failure(append())).toMatchObject({ type: ErrorType.DEADLINE_EXCEEDED });
  expect(await append()).toMatchObject({ nextExpectedRevision: 0n });
  expect(await readBodies(client, 's')).toEqual(['a']);
});

test.each([
  { applied: false, stored: [] },
  { applied: true, stored: ['a'] },
])('an unanswered append stays pending, applied: $applied', async ({ applied, stored }) => {
  const { client, double } = await startFixture();
  await client.appendToStream('warm', newEvent());
  double.stopAnsweringWrites({ applied });
  const unanswered = watch(client.appendToStream('s', newEvent('a')));
  await eventually(() => expect(double.arrivedWrites).toHaveLength(2));
  expect(double.log.eventsOf('s').map(({ data }) => JSON.parse(Buffer.from(data).toString()).body)).toEqual(
    stored,
  );
  double.answerWrites();
  await client.appendToStream('t', newEvent('b'));
  expect(unanswered.state()).toBe('pending');
});

test('an append through a stalled network stays pending until the network is back', async () => {
  const { client, double, proxy } = await startFixtureBehindProxy();
  await client.appendToStream('s', newEvent('a'));
  proxy.stall();
  const append = client.appendToStream('s', newEvent('b'));
  const stalled = watch(append);
  const direct = connect(double.port);
  expect(await readBodies(direct, 's')).toEqual(['a']);
  expect(stalled.state()).toBe('pending');
  proxy.resume();
  expect(await append).toMatchObject({ nextExpectedRevision: 1n });
});

test('a cut connection fails pending appends and subscriptions as unavailable, and the same client continues', async () => {
  const { client, double, proxy } = await startFixtureBehindProxy();
  await client.appendToStream('s', newEvent('a'));
  const errors: unknown[] = [];
  client.subscribeToStream('s').on('error', (error) => errors.push(error));
  await eventually(() => expect(double.subscriptionCount).toBe(1));
  double.stopAnsweringWrites();
  const append = failure(client.appendToStream('s', newEvent('b')));
  await eventually(() => expect(double.arrivedWrites).toHaveLength(2));
  proxy.cut();
  expect(await append).toMatchObject({ type: ErrorType.UNAVAILABLE });
  await eventually(() => expect(errors).toEqual([expect.objectContaining({ type: ErrorType.UNAVAILABLE })]));
  await eventually(() => expect(double.subscriptionCount).toBe(0));
  double.answerWrites();
  await client.appendToStream('s', newEvent('c'));
  expect(await readBodies(client, 's')).toEqual(['a', 'c']);
});

test.each(['stopped', 'killed'] as const)(
  'a node that was %s and started again forgets ids it has seen, but not what it has stored',
  async (how) => {
    const { client, double } = await startFixture();
    const { port } = double;
    const [byAny, byNone] = [newEvent('any'), newEvent('none')];
    const append = (stream: string, event: typeof byAny, expectedRevision: 'any' | 'no_stream') =>
      client.appendToStream(stream, event, { expectedRevision });
    await append('s', byAny, 'any');
    const first = await append('t', byNone, 'no_stream');
    await double.restart(how);
    expect(double.port).toBe(port);
    await eventually(() => append('u', newEvent(), 'any'));
    expect(await append('s', byAny, 'any')).toMatchObject({ nextExpectedRevision: 1n });
    expect(await append('t', byNone, 'no_stream')).toEqual(first);
    expect(await readBodies(client, 't')).toEqual(['none']);
  },
);

test.each([
  {
    how: 'stopped' as const,
    error: { type: ErrorType.UNKNOWN, message: expect.stringContaining('RST_STREAM') },
  },
  { how: 'killed' as const, error: { type: ErrorType.UNAVAILABLE } },
])(
  'a node that is $how fails its subscriptions, and is unavailable until it starts',
  async ({ how, error }) => {
    const { client, double } = await startFixture();
    await client.appendToStream('s', newEvent('a'));
    const errors: unknown[] = [];
    client.subscribeToStream('s').on('error', (reason) => errors.push(reason));
    await eventually(() => expect(double.subscriptionCount).toBe(1));
    await double.stop(how);
    await eventually(() => expect(errors).toEqual([expect.objectContaining(error)]));
    const id = randomUUID();
    expect(await failure(client.appendToStream('s', newEvent('b', id)))).toMatchObject({
      type: ErrorType.UNAVAILABLE,
    });
    await double.start();
    await eventually(() => client.appendToStream('s', newEvent('b', id), { expectedRevision: 0n }));
    expect(await readBodies(client, 's')).toEqual(['a', 'b']);
  },
);
