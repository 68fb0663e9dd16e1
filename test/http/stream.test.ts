import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type LiveClient,
  LiveStream,
  MAX_BEHIND,
  MAX_WAITING_BYTES,
} from '../../src/delivery/live-stream.ts';
import { LogTail } from '../../src/delivery/log-tail.ts';
import { deleted, registered } from '../support/cloud-events.ts';
import { EventSourceClient } from '../support/event-source.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { until } from '../support/until.ts';

const MARCH = '2026-03-01T00:00:00.000Z';

function client(): EventSourceClient {
  const source = new EventSourceClient();
  onTestFinished(() => source.close());
  return source;
}

const urlOf = (ledger: TestLedger, query = '') => `http://127.0.0.1:${ledger.port}/v1/stream${query}`;

async function recordMany(ledger: TestLedger, count: number): Promise<void> {
  for (let from = 0; from < count; from += 1_000) {
    const size = Math.min(1_000, count - from);
    const batch = Array.from({ length: size }, (_, i) => registered(`many-${from + i}`, MARCH));
    expect((await ledger.postBatch(batch)).status).toBe(200);
  }
}

describe('the live stream', () => {
  test('answers HEAD at once, without events', async () => {
    const ledger = await ledgerForTest();
    const { status, headers, text } = await ledger.fetch('/v1/stream', { method: 'HEAD' });
    expect([status, headers.get('content-type'), text]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      '',
    ]);
  });

  test('sends every new event of the feed, in order, with its place in the feed as its id', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('before', MARCH));
    const source = client();
    const response = await source.connect(urlOf(ledger));
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    await ledger.record(registered('c1', MARCH), deleted('c1', MARCH));
    await ledger.fetch('/v1/periods/2026-03/close', { method: 'POST' });
    await until(() => source.events.length === 4);
    const { body } = await ledger.get('/v1/feed?after=1');
    expect(source.events.map(({ data }) => data)).toEqual(body.events);
    expect(source.ids).toEqual(body.events.map((event: { ledgerposition: string }) => event.ledgerposition));
    expect(source.events.map(({ event }) => event)).toEqual(
      body.events.map((event: { type: string }) => event.type),
    );
  });

  test('continues after Last-Event-ID without a gap, and sends only the types that were asked for', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', MARCH), registered('c2', MARCH), deleted('c2', MARCH));
    const source = client();
    await source.connect(urlOf(ledger), { 'last-event-id': '1' });
    await until(() => source.events.length === 3);
    expect(source.ids).toEqual(['2', '3', '4']);
    const chosen = client();
    await chosen.connect(urlOf(ledger, '?after=0&types=io.clusterledger.cluster.deleted.v1'));
    await ledger.record(registered('c3', MARCH), deleted('c3', MARCH));
    await until(() => chosen.events.length === 2);
    expect(chosen.events.map(({ data }) => data.subject)).toEqual(['c2', 'c3']);
  });

  test('asks a client that is too far behind to read everything again, and goes on with new events', async () => {
    const ledger = await ledgerForTest();
    await recordMany(ledger, MAX_BEHIND + 1);
    const source = client();
    await source.connect(urlOf(ledger, '?after=0'));
    await ledger.record(registered('new', MARCH));
    await until(() => source.events.length === 2);
    expect(source.events.map(({ event }) => event)).toEqual([
      'resync',
      'io.clusterledger.cluster.registered.v1',
    ]);
    expect(source.ids).toEqual([String(MAX_BEHIND + 1), String(MAX_BEHIND + 2)]);
  });

  test('disconnects a client that does not read, and serves the others', async () => {
    const ledger = await ledgerForTest();
    let waiting = 0;
    ledger.rooms.app.server.once('connection', (socket) => {
      const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
      socket.write = (...args: unknown[]) => {
        const isSent = write(...args);
        waiting = Math.max(waiting, socket.writableLength);
        return isSent;
      };
    });
    const slow = connect(ledger.port, '127.0.0.1');
    onTestFinished(() => void slow.destroy());
    slow.on('error', () => undefined);
    slow.pause();
    slow.write('GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    const source = client();
    await source.connect(urlOf(ledger));
    await until(async () => {
      await ledger.postBatch(
        Array.from({ length: 1_000 }, (_, i) =>
          registered(`c-${ledger.now}-${i}`, MARCH, 'acme', { name: 'x'.repeat(200) }),
        ),
      );
      ledger.pass(1);
      return (await ledger.get('/metrics')).text.includes('ledger_stream_clients 1\n');
    });
    expect(waiting).toBeGreaterThan(MAX_WAITING_BYTES / 2);
    expect(waiting).toBeLessThan(1.01 * MAX_WAITING_BYTES);
    const head = await ledger.head();
    await until(() => source.ids.at(-1) === String(head));
    expect(source.ids).toEqual(Array.from({ length: head }, (_, i) => String(i + 1)));
  });

  test('holds at most 256 KiB for each of 100 clients that read nothing, and then disconnects them', async () => {
    const ledger = await ledgerForTest();
    const { store, projections } = ledger.rooms;
    const stream = new LiveStream(new LogTail(store, projections), () => [], String);
    onTestFinished(() => stream.close());
    const held = new Array<number>(100).fill(0);
    let ended = 0;
    const silent = (n: number): LiveClient => ({
      after: 0,
      // Half of the clients get a part of the events, which is put together for each.
      isSelected: ({ subject }) => n % 2 === 0 || !subject.endsWith('0'),
      waitingBytes: () => held[n] ?? 0,
      send: (bytes) => {
        held[n] = (held[n] ?? 0) + bytes.length;
      },
      drained: async () => false,
      end: () => {
        ended += 1;
      },
    });
    for (const n of held.keys()) stream.connect(silent(n));
    await until(async () => {
      await ledger.postBatch(
        Array.from({ length: 100 }, (_, i) =>
          // Each of these characters is three bytes.
          registered(`c-${ledger.now}-${i}`, MARCH, 'acme', { name: '界'.repeat(200) }),
        ),
      );
      ledger.pass(1);
      return ended === held.length;
    });
    expect(Math.max(...held)).toBeLessThanOrEqual(MAX_WAITING_BYTES);
    expect(Math.min(...held)).toBeGreaterThan(MAX_WAITING_BYTES / 2);
    expect(stream.size).toBe(0);
  });

  test('sends 300 clients every one of 400 facts', async () => {
    const ledger = await ledgerForTest();
    const sources = Array.from({ length: 300 }, () => client());
    await Promise.all(sources.map((source) => source.connect(urlOf(ledger))));
    for (let round = 0; round < 20; round++)
      await ledger.postBatch(Array.from({ length: 20 }, (_, i) => registered(`r${round}-${i}`, MARCH)));
    await until(() => sources.every(({ events }) => events.length === 400));
    const expected = Array.from({ length: 400 }, (_, i) => String(i + 1));
    for (const source of sources) expect(source.ids).toEqual(expected);
  });

  test('ends when the ledger stops', async () => {
    const ledger = await ledgerForTest();
    const source = client();
    await source.connect(urlOf(ledger));
    await ledger.close();
    await until(() => source.isEnded);
  });

  test('refuses an id that is not of the feed, and names the header', async () => {
    const ledger = await ledgerForTest();
    const { status, body } = await ledger.get('/v1/stream', { 'last-event-id': 'abc' });
    expect([status, body.errors[0].pointer]).toEqual([400, '/headers/last-event-id']);
  });
});
