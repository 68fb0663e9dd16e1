import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

/** Less than the 30 s that the polls of these tests wait: a close that takes longer waits for them. */
const ENOUGH_MS = 25_000;

/** Closes the ledger; what still holds it open after a while is cut off, so that the test ends. */
async function closesSoon(ledger: TestLedger): Promise<boolean> {
  const { server } = ledger.rooms.app;
  const closing = ledger.close();
  const isClosed = await Promise.race([closing.then(() => true), wait(ENOUGH_MS, false)]);
  server.closeAllConnections();
  await closing;
  return isClosed;
}

/** Waits until the server has received everything sent before: it has then answered this request. */
async function arrived(ledger: TestLedger): Promise<void> {
  await ledger.get('/livez');
}

test('an idle ledger closes at once', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', '2026-04-01T00:00:00Z'));
  expect(await closesSoon(ledger)).toBe(true);
});

test('a waiting consumer of the feed does not delay closing', async () => {
  const ledger = await ledgerForTest();
  const poll = ledger.get('/v1/feed?wait=30').catch(() => undefined);
  await arrived(ledger);
  expect(await closesSoon(ledger)).toBe(true);
  await poll;
});

test('a consumer that disconnected while it waited does not delay closing', async () => {
  const ledger = await ledgerForTest();
  const away = new AbortController();
  const poll = ledger.fetch('/v1/feed?wait=30', { signal: away.signal }).catch(() => undefined);
  await arrived(ledger);
  away.abort();
  await poll;
  const unfinished = connect(ledger.port, '127.0.0.1');
  unfinished.on('error', () => {});
  unfinished.write('POST /v1/events HTTP/1.1\r\nHost: localhost\r\n');
  await arrived(ledger);
  expect(await closesSoon(ledger)).toBe(true);
  unfinished.destroy();
});

test('a read that waits for a position does not delay closing', async () => {
  const ledger = await ledgerForTest();
  const read = ledger.get('/v1/usage?period=2026-04&minPosition=9').catch(() => undefined);
  await arrived(ledger);
  expect(await closesSoon(ledger)).toBe(true);
  await read;
});

test('clients that stop in the middle of a request do not delay closing', async () => {
  const ledger = await ledgerForTest();
  const head = 'POST /v1/events HTTP/1.1\r\nHost: localhost\r\n';
  const type = 'Content-Type: application/cloudevents+json\r\n';
  const sockets = ['', head, `${head}${type}Content-Length: 9\r\n\r\n{`].map((bytes) => {
    const socket = connect(ledger.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    return socket;
  });
  await arrived(ledger);
  expect(await closesSoon(ledger)).toBe(true);
  for (const socket of sockets) socket.destroy();
});
