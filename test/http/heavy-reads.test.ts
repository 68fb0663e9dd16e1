import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DAYS, FROM, writeCrowdedLog } from '../bench/torture/crowded-log.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { eventually, until } from '../support/until.ts';

const SIZE = { facts: 38_000, clusters: 2_000, bigAccount: 1_000, busyCluster: 20_000 };
const MAX_HOLD_MS = 50;
/** As many as may be in progress at once. */
const IN_PROGRESS = 64;

const day = (n: number) => new Date(FROM + n * 86_400_000).toISOString();
const WHOLE = `from=${day(0)}&to=${day(DAYS)}`;
const ALL_DAYS = `/v1/usage?${WHOLE}&granularity=day`;

const it = sharedLedger(
  async (ledger) => {
    await writeCrowdedLog(ledger.rooms.store, SIZE);
    const head = await ledger.rooms.store.head();
    await until(() => ledger.rooms.projections.model.position === head);
    await ledger.fetch('/v1/periods/2025-10/close', { method: 'POST' });
  },
  { now: '2026-11-26T00:00:00.000Z' },
);

/** Requests in progress that compute much, as the metrics say. */
async function inProgress(): Promise<number> {
  const { text } = await it().get('/metrics');
  return Number(/^ledger_heavy_reads (\d+)$/m.exec(text)?.[1]);
}

/** Milliseconds of CPU that this thread has used, so that other processes do not matter. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Runs work, and returns the most CPU that one turn of the event loop took meanwhile. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  let longest = 0;
  for (let since = cpuMs(); !isDone; since = cpuMs()) {
    await turn();
    longest = Math.max(longest, cpuMs() - since);
  }
  await done;
  return longest;
}

/** Requests a path and reads all of the answer, but keeps none of it. */
async function readAll(path: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${it().port}${path}`);
  expect(answer.status).toBe(200);
  let bytes = 0;
  for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length;
  return bytes;
}

/** Requests a path on a socket of its own and reads nothing. */
async function ask(path: string): Promise<Socket> {
  const socket = connect(it().port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('a read that computes much', () => {
  test.each([
    ['usage by day of all accounts', ALL_DAYS],
    ['usage by day of all accounts, by region', `${ALL_DAYS}&groupBy=region`],
    [
      'usage by day of one account, by label',
      `/v1/accounts/big/usage?${WHOLE}&granularity=day&groupBy=label:team`,
    ],
    ['an explanation of many clusters', `/v1/accounts/big/usage/explain?${WHOLE}`],
    ['an explanation of a cluster with many facts', `/v1/accounts/one/usage/explain?${WHOLE}`],
    ['a replay of many clusters', `/v1/accounts/big/replay?${WHOLE}`],
    ['a replay of a cluster with many facts', `/v1/accounts/one/replay?${WHOLE}`],
    ['evidence of many clusters', '/v1/accounts/big/evidence?period=2025-10'],
    ['evidence of a cluster with many facts', '/v1/accounts/one/evidence?period=2025-10'],
    ['the statements of a month', '/v1/periods/2025-10/statements'],
    ['the metrics', '/metrics'],
  ])('does not hold the event loop: %s', async (_, path) => {
    // The first time, functions are compiled.
    await eventually(() => readAll(path));
    // A turn may have the garbage of others to collect, or a machine that gives this one no time. The next read has not.
    await eventually(async () => expect(await longestTurn(() => readAll(path))).toBeLessThan(MAX_HOLD_MS));
  });

  test.each([
    ['usage by day', ALL_DAYS],
    ['an explanation', `/v1/accounts/one/usage/explain?${WHOLE}`],
    ['a replay', `/v1/accounts/one/replay?${WHOLE}`],
    ['evidence', '/v1/accounts/one/evidence?period=2025-10'],
    ['a difference', `/v1/accounts/big/diff?${WHOLE}&before=21000`],
  ])('stops when its client is gone: %s', async (_, path) => {
    await eventually(async () => {
      const sockets = await Promise.all(Array.from({ length: 8 }, () => ask(path)));
      await until(async () => (await inProgress()) === sockets.length);
      for (const socket of sockets) socket.destroy();
      // Work that went on would take 2 ms of each of these turns.
      const since = cpuMs();
      for (let i = 0; i < 300; i++) await turn();
      expect(cpuMs() - since).toBeLessThan(100);
      expect(await inProgress()).toBe(0);
    });
  });

  test('does not wait for others whose clients read slowly', async () => {
    const slow = await Promise.all(Array.from({ length: 8 }, () => ask(ALL_DAYS)));
    await until(async () => (await inProgress()) === slow.length);
    expect(await readAll(`/v1/accounts/account-1/usage/explain?${WHOLE}`)).toBeGreaterThan(0);
    expect(await inProgress()).toBe(slow.length);
  });

  test('is rejected if too many are in progress, while health, metrics and other reads answer', async () => {
    const slow = await Promise.all(Array.from({ length: IN_PROGRESS }, () => ask(ALL_DAYS)));
    await until(async () => (await inProgress()) === IN_PROGRESS);
    const { status, body, headers } = await it().get(`/v1/accounts/account-1/usage/explain?${WHOLE}`);
    expect([status, body.type]).toEqual([503, 'urn:cluster-ledger:problem:overloaded']);
    expect(headers.get('retry-after')).toBe('2');
    for (const path of [
      '/livez',
      '/readyz',
      '/metrics',
      `/v1/accounts/big/usage?${WHOLE}`,
      '/v1/clusters/busy',
    ])
      expect((await it().get(path)).status).toBe(200);
    for (const socket of slow) socket.destroy();
    await until(async () => (await inProgress()) === 0);
    expect(await readAll(`/v1/accounts/account-1/usage/explain?${WHOLE}`)).toBeGreaterThan(0);
  });
});
