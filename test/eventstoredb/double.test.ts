import { randomUUID } from 'node:crypto';
import { type AllStreamRecordedEvent, binaryEvent, type EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../support/until.ts';
import { connect, newEvent, startFixture, watch } from './fixture.ts';

const credentialsOfOne = { credentials: { username: 'admin', password: 'changeit' } };

async function readBodies(client: EventStoreDBClient, stream: string): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for await (const { event } of client.readStream(stream)) bodies.push(event?.data);
  return bodies;
}

async function readAll(client: EventStoreDBClient): Promise<AllStreamRecordedEvent[]> {
  const events: AllStreamRecordedEvent[] = [];
  for await (const { event } of client.readAll()) if (event !== undefined) events.push(event);
  return events;
}

test("a warm client's appends arrive in the order in which it made them", async () => {
  const { double, client } = await startFixture();
  await client.appendToStream('warm', newEvent());
  const streamNames = Array.from({ length: 200 }, (_, index) => `s-${index}`);
  await Promise.all(streamNames.map((stream) => client.appendToStream(stream, newEvent())));
  expect(double.arrivedWrites.slice(1).map(({ stream }) => stream)).toEqual(streamNames);
});

test('an append with credentials takes the Append call and answers the same', async () => {
  const { double, client } = await startFixture({ maxAppendSize: 100 });
  const event = newEvent('a');
  const expectNone = { ...credentialsOfOne, expectedRevision: 'no_stream' } as const;
  const first = await client.appendToStream('s', event, expectNone);
  expect(first.nextExpectedRevision).toBe(0n);
  expect(await client.appendToStream('s', event, expectNone)).toEqual(first);
  await expect(client.appendToStream('s', newEvent('b'), expectNone)).rejects.toMatchObject({
    type: 'wrong-expected-version',
    expectedVersion: 'no_stream',
    actualVersion: 0n,
  });
  const large = binaryEvent({ type: 'large', data: new Uint8Array(101) });
  await expect(client.appendToStream('s', large, credentialsOfOne)).rejects.toMatchObject({
    type: 'maximum-append-size-exceeded',
    maxAppendSize: 100,
  });
  await client.tombstoneStream('s');
  await expect(client.appendToStream('s', newEvent('c'), credentialsOfOne)).rejects.toMatchObject({
    type: 'stream-deleted',
  });
  expect(double.arrivedWrites.map(({ path }) => path)).toEqual(Array(5).fill('single'));
});

test('a repeat with any whose last id was written before its first is never answered', async () => {
  const { client, double } = await startFixture();
  const [first, second, third] = [newEvent('a'), newEvent('b'), newEvent('c')];
  await client.appendToStream('s', [first, second, third]);
  const stumbled = watch(client.appendToStream('s', [third, first]));
  await client.appendToStream('s', [second, third]);
  expect(double.arrivedWrites).toHaveLength(3);
  expect(stumbled.state()).toBe('pending');
});

test('an id that is not a UUID gets the answer BadRequest, and a second answer when its time is over', async () => {
  const { double } = await startFixture({ writeTimeoutMs: 50 });
  // The client itself does not survive the second answer.
  const stub = new StreamsClient(`127.0.0.1:${double.port}`, credentials.createInsecure());
  const call = stub.batchAppend();
  call.on('error', () => undefined);
  onTestFinished(() => {
    call.cancel();
    stub.close();
  });
  const answers: [correlationId: string | undefined, error: string | undefined][] = [];
  call.on('data', (answer: streams.BatchAppendResp) => {
    answers.push([answer.getCorrelationId()?.getString(), answer.getError()?.getMessage()]);
  });
  const correlationId = randomUUID();
  call.write(badAppend(correlationId));
  await eventually(() =>
    expect(answers).toEqual([
      [correlationId, 'BadRequest'],
      [correlationId, 'Timeout'],
    ]),
  );
  expect(double.log.eventsOf('s')).toEqual([]);
});

function badAppend(correlationId: string): streams.BatchAppendReq {
  const options = new streams.BatchAppendReq.Options()
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from('s')))
    .setAny(new shared.Empty());
  const message = new streams.BatchAppendReq.ProposedMessage().setId(
    new shared.UUID().setString('not a UUID'),
  );
  message.getMetadataMap().set('type', 'noted').set('content-type', 'application/json');
  return new streams.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(correlationId))
    .setOptions(options)
    .setProposedMessagesList([message])
    .setIsFinal(true);
}

test("$all holds metadata, tombstones and the node's own events, at rising positions with gaps", async () => {
  const { client } = await startFixture();
  await client.appendToStream('s', [newEvent('a'), newEvent('b')]);
  await client.setStreamMetadata('s', { maxCount: 1 });
  await client.tombstoneStream('s');
  const events = await readAll(client);
  expect(events.map(({ streamId, type }) => [streamId, type])).toEqual([
    ['$$$scavenges', '$metadata'],
    ['s', 'noted'],
    ['s', 'noted'],
    ['$$s', '$metadata'],
    ['s', '$streamDeleted'],
  ]);
  const positions = events.map(({ position }) => position.commit);
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => Number(a - b)));
  expect(events.every(({ position }) => position.commit === position.prepare)).toBe(true);
  await expect(client.readAll({ fromPosition: { commit: 7n, prepare: 7n } }).toArray()).rejects.toThrow(
    'Unexpected ReadAllResult: Error',
  );
});

test("a soft delete and the next append each write the stream's metadata", async () => {
  const { client } = await startFixture();
  await client.appendToStream('s', newEvent('a'));
  await client.setStreamMetadata('s', { maxCount: 9 });
  await client.deleteStream('s');
  await expect(readBodies(client, 's')).rejects.toMatchObject({ type: 'stream-not-found' });
  await client.appendToStream('s', newEvent('b'));
  expect(await readBodies(client, 's')).toEqual([{ body: 'b' }]);
  expect((await client.getStreamMetadata('s')).metadata).toEqual({ truncateBefore: 1 });
});

test('maxAge hides older events', async () => {
  const { client } = await startFixture();
  await client.appendToStream('s', newEvent('a'));
  await client.setStreamMetadata('s', { maxAge: 3_600 });
  expect(await readBodies(client, 's')).toEqual([{ body: 'a' }]);
  vi.useFakeTimers({ now: Date.now() + 3_600_001, toFake: ['Date'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  expect(await readBodies(client, 's')).toEqual([]);
});

test('a read of more events than fit one page goes page by page', async () => {
  const { client } = await startFixture();
  const bodies = Array.from({ length: 100 }, (_, index) => ({ body: index }));
  await client.appendToStream(
    's',
    bodies.map(({ body }) => newEvent(body)),
  );
  expect(await readBodies(client, 's')).toEqual(bodies);
  const backwards: unknown[] = [];
  const reading = client.readStream('s', { direction: 'backwards', fromRevision: 'end', maxCount: 70 });
  for await (const { event } of reading) backwards.push(event?.data);
  expect(backwards).toEqual(bodies.toReversed().slice(0, 70));
  expect((await readAll(client)).length).toBe(101);
});

test('gossip leads a discovering client to the node, unless no member leads or follows', async () => {
  const { double } = await startFixture();
  const { port } = double;
  const discovering = connectByGossip(port);
  onTestFinished(() => discovering.dispose());
  expect((await readAll(discovering)).length).toBe(1);
  double.members = [{ host: '127.0.0.1', port, state: 'unknown', isAlive: true }];
  const lost = connectByGossip(port);
  await expect(lost.readAll().toArray()).rejects.toThrow('Failed to discover');
});

const connectByGossip = (port: number): EventStoreDBClient =>
  connect(port, 'esdb+discover', '&maxDiscoverAttempts=2&discoveryInterval=5');
