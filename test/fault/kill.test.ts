import { randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { snapshotFile } from '../../src/app/open-log.ts';
import { readConfig } from '../../src/config/config.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { readFeed } from './feed.ts';
import { Producers } from './producers.ts';

const kills = inject('kills');

describe.each(stores)('a ledger on $name that is killed under 64 clients', ({ connection }) => {
  test(`${kills} times loses nothing that it acknowledged, keeps nothing twice, and answers as it did before`, {
    timeout: 300_000 + kills * 30_000,
  }, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ledger-kill-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const environment = {
      LEDGER_STORE: connection,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_NAMESPACE: `kill-${randomUUID()}`,
      LEDGER_LOG_LEVEL: 'fatal',
    };
    const ledger = new LedgerProcess(environment);
    onTestFinished(() => ledger.stop('SIGKILL'));
    await ledger.start();
    const producers = new Producers(() => ledger.url);
    producers.start(64, 'k');
    for (let kill = 0; kill < kills; kill++) {
      const before = producers.acknowledged.length;
      await until(() => producers.acknowledged.length > before + 20);
      await wait(randomInt(60));
      await ledger.stop('SIGKILL');
      await ledger.start();
    }
    await producers.stop();
    expect(producers.wrong).toEqual([]);

    const feed = await readFeed(ledger);
    const places = new Map(feed.map((event) => [event.ledgereventid, event.ledgerposition]));
    expect(places.size, 'an event stands twice').toBe(feed.length);
    const lost = producers.acknowledged.filter(({ eventId, position }) => {
      const place = places.get(eventId);
      return place === undefined || (position !== null && place !== position);
    });
    expect(lost, 'an acknowledged event is gone, or elsewhere').toEqual([]);
    const producedTwice = new Set(feed.map(({ source, id }) => `${source} ${id}`));
    expect(producedTwice.size, 'an event was recorded under two ids').toBe(feed.length);

    const answers = await answersOf(ledger);
    await ledger.stop('SIGTERM');
    await ledger.start();
    expect(await answersOf(ledger), 'from a snapshot').toEqual(answers);
    await ledger.stop('SIGKILL');
    await rm(snapshotFile(readConfig(environment)), { force: true });
    await ledger.start();
    expect(await answersOf(ledger), 'from a replay of the log').toEqual(answers);
  });
});

async function answersOf(ledger: LedgerProcess): Promise<unknown[]> {
  const months = ['2026-01', '2026-02', '2026-03', '2026-04'];
  const paths = [
    ...months.map((month) => `/v1/usage?period=${month}&granularity=day`),
    '/v1/clusters?limit=1000',
    '/v1/accounts',
  ];
  return Promise.all(paths.map((path) => ledger.getJson(path)));
}
