import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type DataOf,
  Outbox,
  type OutboxOptions,
  type RejectedEvent,
} from '../../packages/client/src/index.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { until } from '../support/until.ts';

const ledger = sharedLedger();
const ACME = { accountId: 'acme', name: 'staging' };
const NOWHERE = 'http://127.0.0.1:1024';

async function outboxFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'outbox-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'outbox.db');
}

function open(options: Partial<OutboxOptions> & { readonly file: string }): Outbox {
  const outbox = Outbox.open({ url: `http://127.0.0.1:${ledger().port}`, source: '/pro-app', ...options });
  onTestFinished(() => outbox.close());
  return outbox;
}

const time = () => new Date(ledger().now);
const historyOf = async (clusterId: string) => {
  const { body } = await ledger().get(`/v1/clusters/${clusterId}/events`);
  return body.items.map(({ id }: { id: string }) => id);
};

/** Answers every request as a function says, and keeps the bodies. */
async function fakeLedger(
  answer: (request: IncomingMessage, response: ServerResponse, call: number) => void,
) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    answer(request, response, bodies.push(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

describe('an outbox', () => {
  test('sends events that an earlier process added while the ledger was down', async () => {
    const file = await outboxFile();
    const before = open({ file, url: NOWHERE });
    before.add('cluster.registered', 'c-down', ACME, { id: 'down-1', time: time() });
    before.add('cluster.deleted', 'c-down', {}, { id: 'down-2', time: time() });
    await until(() => before.status().trouble !== undefined);
    expect(before.status()).toMatchObject({ waiting: 2, rejected: 0 });
    expect(before.status().trouble?.message).toContain('ECONNREFUSED');
    await before.close();

    const after = open({ file });
    await after.flush();
    expect(await historyOf('c-down')).toEqual(['down-1', 'down-2', expect.any(String)]);
  });

  test('keeps a rejected event with its problem, sends the events behind it, and calls the app until a call succeeds', async () => {
    const file = await outboxFile();
    const told: RejectedEvent[] = [];
    const warnings: string[] = [];
    const warn = ({ message }: Error) => void warnings.push(message);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const failing = open({
      file,
      onRejected: () => {
        throw new Error('the pager is down');
      },
    });
    failing.add('cluster.registered', 'c-bad', { ...ACME, nonsense: 1 } as DataOf<'cluster.registered'>, {
      id: 'bad-1',
      time: time(),
    });
    failing.add('cluster.registered', 'c-bad', ACME, { id: 'bad-2', time: time() });
    failing.add('cluster.registered', 'c-good', ACME, { id: 'good-1', time: time() });
    await failing.flush();
    await until(() => warnings.some((message) => message.includes('the pager is down')));
    await failing.close();

    const outbox = open({ file, onRejected: (rejected) => void told.push(rejected) });
    await until(() => told.length === 1);
    expect(told).toMatchObject([{ event: { id: 'bad-1' }, problem: { status: 400 } }]);
    expect(outbox.rejected()).toEqual(told);
    expect(outbox.status()).toMatchObject({ waiting: 0, rejected: 1 });
    expect(await historyOf('c-bad')).toEqual(['bad-2']);
    expect(await historyOf('c-good')).toEqual(['good-1']);

    const [{ event }] = outbox.rejected() as [RejectedEvent];
    expect(outbox.retry(event)).toBe(true);
    await until(() => told.length === 2);
    expect(outbox.discard(event)).toBe(true);
    expect(outbox.discard(event)).toBe(false);
    expect(outbox.rejected()).toEqual([]);
  });

  test('takes an event that it has only once, and refuses other content under its id', async () => {
    const outbox = open({ file: await outboxFile(), url: NOWHERE });
    const event = outbox.add('cluster.registered', 'c1', ACME, { id: 'once' });
    outbox.addEvents([event, event]);
    expect(outbox.status().waiting).toBe(1);
    const other = { ...event, time: '2026-01-01T00:00:00Z' };
    expect(() => outbox.addEvents([{ ...event, id: 'new' }, other])).toThrow(
      /"once" and other content; nothing was stored/,
    );
    expect(outbox.status().waiting).toBe(1);
  });

  test('refuses more events than it may hold, and names the reason', async () => {
    const outbox = open({ file: await outboxFile(), url: NOWHERE, maxEvents: 2 });
    outbox.add('cluster.deleted', 'c1');
    outbox.add('cluster.deleted', 'c2');
    expect(() => outbox.add('cluster.deleted', 'c3')).toThrow(expect.objectContaining({ code: 'full' }));
    expect(outbox.status().waiting).toBe(2);
  });

  test.each([
    ['a cluster id with a space', 'c 1', {}, /subject must be .* given "c 1"/],
    [
      'a time without a time zone',
      'c1',
      { time: '2026-03-01T00:00:00' },
      /time must be an RFC 3339 time with a time zone/,
    ],
    ['a date that is not valid', 'c1', { time: new Date('x') }, /time must be a valid date/],
    ['an empty id', 'c1', { id: '' }, /id must be 1 to 255 characters/],
  ])('refuses %s before it stores anything', async (_, clusterId, options, message) => {
    const outbox = open({ file: await outboxFile(), url: NOWHERE });
    expect(() => outbox.add('cluster.deleted', clusterId, {}, options)).toThrow(message);
    expect(outbox.status().waiting).toBe(0);
  });

  test('refuses an event of more than 60 KiB', async () => {
    const outbox = open({ file: await outboxFile(), url: NOWHERE });
    const labels = { note: 'x'.repeat(61 * 1_024) };
    expect(() => outbox.add('cluster.changed', 'c1', { labels })).toThrow(/at most 61440 bytes/);
  });

  test('waits as long as Retry-After says, and sends the same bytes again', async () => {
    const pauses: number[] = [];
    const fake = await fakeLedger((_, response, call) => {
      if (call === 1) {
        response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
        const type = 'urn:cluster-ledger:problem:overloaded';
        response.end(JSON.stringify({ type, title: 'Busy', status: 503, detail: 'busy', instance: 'r' }));
      } else response.end(JSON.stringify({ outcome: 'appended', eventId: 'e', clusterId: 'c1' }));
    });
    const outbox = open({
      file: await outboxFile(),
      url: fake.url,
      onTrouble: (_, ms) => void pauses.push(ms),
    });
    outbox.add('cluster.deleted', 'c1');
    await outbox.flush();
    expect(fake.bodies).toHaveLength(2);
    expect(fake.bodies[0]).toBe(fake.bodies[1]);
    expect(pauses).toHaveLength(1);
    expect(pauses[0]).toBeGreaterThanOrEqual(1_000);
    expect(pauses[0]).toBeLessThanOrEqual(1_250);
  });

  test.each([
    ['a key that is refused', 401],
    ['a key of another role', 403],
    ['a URL where no ledger is', 404],
  ])('loses nothing to %s', async (_, status) => {
    const fake = await fakeLedger((__, response) => response.writeHead(status).end('<html>'));
    const outbox = open({ file: await outboxFile(), url: fake.url });
    outbox.add('cluster.deleted', 'c1');
    await until(() => outbox.status().trouble !== undefined);
    expect(outbox.status()).toMatchObject({ waiting: 1, rejected: 0 });
    expect(outbox.status().trouble?.message).toContain(`status ${status}`);
  });

  test('lets only the events of a halted cluster wait', async () => {
    const fake = await fakeLedger((request, response, call) => {
      const type = 'urn:cluster-ledger:problem:cluster-halted';
      const problem = { type, title: 'Halted', status: 503, detail: 'the cluster is halted', instance: 'r' };
      const results = (JSON.parse(fake.bodies[call - 1] as string) as { subject: string }[]).map(
        ({ subject }) =>
          subject === 'halted'
            ? { outcome: 'rejected', problem }
            : { outcome: 'appended', eventId: 'e', clusterId: subject },
      );
      expect(request.headers['content-type']).toBe('application/cloudevents-batch+json');
      response.end(JSON.stringify({ outcome: 'batch', results }));
    });
    const troubles: string[] = [];
    const outbox = open({
      file: await outboxFile(),
      url: fake.url,
      onTrouble: ({ message }) => void troubles.push(message),
    });
    const event = outbox.add('cluster.deleted', 'halted', {}, { time: '2026-03-01T00:00:00Z' });
    outbox.addEvents(['c1', 'c2'].map((subject) => ({ ...event, id: subject, subject })));
    await until(() => outbox.status().waiting === 1);
    expect(troubles[0]).toBe('events of the cluster halted wait: the cluster is halted');
  });

  test('does not open a file that is not an outbox, and leaves it as it is', async () => {
    const file = await outboxFile();
    await writeFile(file, 'these are the notes of somebody else, and not a database at all');
    expect(() => Outbox.open({ file, url: NOWHERE, source: '/pro-app' })).toThrow(
      expect.objectContaining({ code: 'unusable' }),
    );
  });

  test('takes nothing after it was closed, and says so', async () => {
    const outbox = open({ file: await outboxFile(), url: NOWHERE });
    await outbox.close();
    expect(() => outbox.add('cluster.deleted', 'c1')).toThrow(/is closed; nothing was stored/);
  });
});
