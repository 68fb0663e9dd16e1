import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultKeyFile } from '../../src/audit/key-location.ts';
import { NoteSigner } from '../../src/audit/note-key.ts';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { sqlite, stores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { tortureReplicas } from '../torture/replicas.ts';
import { readFeedWith } from './feed.ts';
import { Producers } from './producers.ts';

async function twoReplicas(connection: string): Promise<[LedgerProcess, LedgerProcess]> {
  const LEDGER_NAMESPACE = `replicas-${randomUUID()}`;
  // Replicas sign with the same key: one whose key is another does not start.
  const { secret } = NoteSigner.generate('ledger.example/replicas');
  const start = async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ledger-replica-'));
    await writeFile(defaultKeyFile(dataDir), secret, { mode: 0o600 });
    const settings = {
      LEDGER_STORE: connection,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_NAMESPACE,
      LEDGER_LOG_LEVEL: 'fatal',
    };
    const replica = new LedgerProcess(settings);
    await replica.start();
    onTestFinished(async () => {
      await replica.stop('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    });
    return replica;
  };
  return Promise.all([start(), start()]);
}

describe.each(stores.filter((store) => store !== sqlite))('two replicas on $name', ({ connection }) => {
  test('record each event once and agree on everything when 32 clients post the same events to both', async () => {
    const [one, two] = await twoReplicas(connection);
    let turn = 0;
    const producers = new Producers(() => (turn++ % 2 === 0 ? one : two).url);
    producers.start(32, 'r');
    await until(() => producers.acknowledged.length > 1_000);
    await producers.stop();
    expect(producers.wrong).toEqual([]);
    const feed = await readFeedWith(one, new Set(producers.acknowledged.map(({ eventId }) => eventId)));
    const ids = new Set(feed.map(({ ledgereventid }) => ledgereventid));
    expect(await readFeedWith(two, ids)).toEqual(feed);
    expect(ids.size).toBe(feed.length);
    expect(producers.acknowledged.filter(({ eventId }) => !ids.has(eventId))).toEqual([]);
  });

  test('record one event and reject the other when both get different content under one id at the same moment', async () => {
    const replicas = await twoReplicas(connection);
    for (let n = 0; n < 40; n++) {
      const answers = await Promise.all(
        replicas.map(async (replica, i) => {
          const event = { ...registered(`c${n}`, '2026-03-01T00:00:00.000Z', `account-${i}`), id: `e${n}` };
          const { headers, body } = inStructuredMode(event);
          const post = { method: 'POST', headers, body: body as string };
          let status = 503;
          // On a slow machine the store may not answer in time. What is posted again is a duplicate if it was recorded.
          await until(async () => {
            status = (await replica.fetch('/v1/events', post)).status;
            return status !== 503;
          });
          return status < 300 ? 'recorded' : status;
        }),
      );
      expect(answers.toSorted()).toEqual([409, 'recorded']);
    }
  });
});

test('three replicas of which one is killed and one upgraded lose no fact, and do each thing once', {
  timeout: 600_000,
}, async () => {
  // The long form is `npm run torture -- replicas`, which also measures how soon another replica goes on. It runs on a real server
  // where there is one.
  const { connection } = stores.at(-1) as (typeof stores)[number];
  const { kills, findings } = await tortureReplicas({
    connection,
    count: 1,
    clients: 4,
    maxPauseMs: Number.POSITIVE_INFINITY,
  });
  expect(findings).toEqual([]);
  expect(kills).toBe(1);
});
