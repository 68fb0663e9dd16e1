import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canStartNodes } from '../support/environment.ts';
import { leaderOf, startCluster } from '../support/eventstored.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';
import { readFeed } from './feed.ts';
import { Producers } from './producers.ts';

const name = canStartNodes ? 'three nodes' : 'three nodes; NOT RUN: no eventstored binary on the PATH';

describe.skipIf(!canStartNodes)(`a ledger on ${name}`, () => {
  test('loses nothing and repeats nothing when the leader is killed under load', async () => {
    const cluster = await startCluster();
    onTestFinished(cluster.remove);
    const dataDir = await mkdtemp(join(tmpdir(), 'ledger-leader-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const ledger = new LedgerProcess({
      LEDGER_STORE: cluster.url,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_NAMESPACE: `leader-${randomUUID()}`,
      LEDGER_LOG_LEVEL: 'fatal',
    });
    onTestFinished(() => ledger.stop('SIGKILL'));
    await leaderOf(cluster.nodes);
    await ledger.start();
    const producers = new Producers(() => ledger.url);
    producers.start(16, 'l');
    for (let round = 0; round < 2; round++) {
      await moreAcknowledged(producers, 300);
      const leader = await leaderOf(cluster.nodes);
      await leader.stop('SIGKILL');
      await moreAcknowledged(producers, 300);
      await leader.start();
    }
    await producers.stop();
    expect(producers.wrong).toEqual([]);
    const feed = await readFeed(ledger);
    const recorded = new Set(feed.map(({ ledgereventid }) => ledgereventid));
    expect(recorded.size, 'an event stands twice').toBe(feed.length);
    expect(producers.acknowledged.filter(({ eventId }) => !recorded.has(eventId))).toEqual([]);
    expect(ledger.exitCode).toBe(null);
  });
});

async function moreAcknowledged(producers: Producers, count: number): Promise<void> {
  const before = producers.acknowledged.length;
  await until(() => producers.acknowledged.length >= before + count);
}
