import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { deleted, inBatchMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { receiverForTest } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { readFeed } from './feed.ts';

// biome-ignore lint/style/noProcessEnv: the long form is `KILLS=100`.
const KILLS = Number(process.env['KILLS'] ?? 10);
const CLUSTERS_PER_ROUND = 20;
const MARCH = '2026-03-01T00:00:00.000Z';

test(
  'a ledger that is killed again and again while it sends webhooks sends every fact, and those of a cluster in order',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ledger-webhooks-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const receiver = await receiverForTest();
    // Answers in time, but not at once, so that a kill meets messages under way.
    receiver.answer = (_, response) => void setTimeout(() => response.writeHead(204).end(), 5);
    const ledger = new LedgerProcess({
      LEDGER_DATA_DIR: dataDir,
      LEDGER_LOG_LEVEL: 'error',
      LEDGER_INGEST_BACKDATING: '3650d',
    });
    onTestFinished(() => ledger.stop('SIGKILL'));
    await ledger.start();
    const post = (path: string, body: object) =>
      ledger.fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post('/v1/webhooks', { url: receiver.url, after: '0' })).status).toBe(201);
    for (let round = 0; round < KILLS; round++) {
      const before = receiver.accepted.length;
      const events = Array.from({ length: CLUSTERS_PER_ROUND }, (_, i) => [
        registered(`r${round}-${i}`, MARCH),
        deleted(`r${round}-${i}`, MARCH),
      ]).flat();
      const { headers, body } = inBatchMode(events);
      // A ledger that is busy, on a slow machine, records nothing and asks for the same again.
      const status = async () =>
        (await fetch(`${ledger.url}/v1/events`, { method: 'POST', headers, body: String(body) })).status;
      await until(async () => (await status()) === 200);
      await until(() => receiver.accepted.length >= before + 5 + round);
      await ledger.stop('SIGKILL');
      await ledger.start();
    }
    const events = await readFeed(ledger);
    expect(events).toHaveLength(KILLS * CLUSTERS_PER_ROUND * 3);
    await until(() => new Set(receiver.accepted.map(({ id }) => id)).size === events.length);
    const positions = new Map<string, number>();
    const seen = new Set<string>();
    for (const { id, event } of receiver.accepted) {
      if (seen.has(id)) continue;
      seen.add(id);
      const position = Number(event.ledgerposition);
      expect(position).toBeGreaterThan(positions.get(event.subject) ?? 0);
      positions.set(event.subject, position);
    }
  },
  // On a busy machine, a start takes ten seconds.
  300_000 + KILLS * 30_000,
);
