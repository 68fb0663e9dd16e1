/** docs/runbooks: every command is run on a ledger that has the trouble of its runbook. */

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { PeriodClosingStore } from '../../src/ledger/period-closing-store.ts';
import { folderForTest, run } from '../cli/program.ts';
import { startDouble } from '../eventstoredb/double.ts';
import { startProxy } from '../eventstoredb/tcp-proxy.ts';
import { inStructuredMode, registered, voided } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { ACCEPT, answerWith, receiverForTest } from '../support/receiver.ts';
import { eventually, until } from '../support/until.ts';

const RUNBOOKS = join(import.meta.dirname, '../../docs/runbooks');
const MARCH = '2026-03-01T00:00:00.000Z';

/** Returns the commands of the ledger in a runbook, in order. */
const commandsOf = (alert: string): string[] =>
  Array.from(
    readFileSync(join(RUNBOOKS, `${alert}.md`), 'utf8').matchAll(/^ *\$ cluster-ledger (.+)$/gm),
    ([, line]) => line as string,
  );

interface Surroundings {
  /** Folder in which the commands run. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Texts of the page, with what they are here. */
  readonly replacements?: Readonly<Record<string, string>>;
  /** Does what has to be done before a command. */
  readonly before?: (line: string) => Promise<void>;
}

/** Runs the commands of a runbook. @returns for each its line, its exit code and what it printed. */
async function follow(
  alert: string,
  { cwd, env, replacements = {}, before }: Surroundings,
): Promise<string[]> {
  const told: string[] = [];
  for (const line of commandsOf(alert)) {
    await before?.(line);
    let here = line;
    for (const [text, replacement] of Object.entries(replacements)) here = here.replaceAll(text, replacement);
    const words = Array.from(here.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, word]) => quoted ?? word ?? '');
    // A person confirms with a key.
    if (words.includes('accept-loss')) words.push('--yes');
    const { code, stdout, stderr } = await run(words, { cwd, env });
    told.push(`${line}: ${code} ${stdout}${stderr}`);
  }
  return told;
}

/** Per runbook, what each of its commands must say. */
const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  LedgerAnswersLag: [],
  LedgerAppendsSlow: [],
  LedgerCheckpointStale: [/: 0 [^\n]+\n3\n/, /: 0 [^\n]+\n5\n/],
  LedgerCriticalAlert: [/: 0 no alerts found/, /: 0 [\s\S]+what to do/, /: 0 /],
  LedgerDiskFull: [],
  LedgerDown: [/: 0 ok +configuration/, /: 0 SETTING/],
  LedgerEventLoopBusy: [],
  LedgerPeriodCloseOverdue: [/: 0 [\s\S]+\n2026-03 +due/, /: 0 would close +2026-03/],
  LedgerReplicaDown: [/: 0 ok +configuration/, /: 0 [\s\S]+Ada/, /: 0 clk_/],
  LedgerReplicasDiffer: [/: 0 ok +configuration/],
  LedgerRequestsFail: [/: 0 ok +configuration/],
  LedgerSnapshotFails: [],
  LedgerStoreReconnects: [],
  LedgerValidatorStale: [/: 0 ok +configuration/, /: 0 run[\s\S]+state +completed/],
  LedgerWarningAlert: [/: 0 [\s\S]+webhook-disabled:/, /: 0 [\s\S]+what to do/],
  LedgerWebhookFailing: [/: 0 [\s\S]+failed +410/, /: 0 delivered +yes/, /: 0 [\s\S]+state +enabled/],
};

test('the commands of the runbooks show and end the trouble of a ledger that takes facts', async () => {
  const cwd = await folderForTest();
  await mkdir(join(cwd, 'kubeconfigs'));
  const ledger = await ledgerForTest({
    now: '2026-05-20T12:00:00.000Z',
    environment: {
      LEDGER_VALIDATOR_SCHEDULE: 'off',
      LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: join(cwd, 'kubeconfigs') }),
    },
  });
  const url = `http://127.0.0.1:${ledger.port}`;
  const receiver = await receiverForTest();
  receiver.answer = answerWith(410);
  const created = await ledger.fetch('/v1/webhooks', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: receiver.url, types: [] }),
  });
  const [fact] = await ledger.record(registered('c1', MARCH));
  const alert = await eventually(
    async () => (await ledger.get('/v1/alerts?kind=webhook-disabled')).body.items[0].id as string,
  );
  receiver.answer = ACCEPT;
  await writeFile(
    join(cwd, 'acme-2026-03.json'),
    (await ledger.get('/v1/accounts/acme/evidence?period=2026-03')).text,
  );
  await writeFile(join(cwd, 'ledger.key'), (await ledger.get('/log/key')).text);
  expect((await ledger.post(voided('c1', MARCH, randomUUID()))).status).toBe(422);
  const key = await run(['keys', 'create', '--role', 'operator', '--name', 'Ada', '--url', url]);
  const surroundings = {
    cwd,
    env: { LEDGER_URL: url, LEDGER_KEY: key.stdout.trim() },
    replacements: {
      'http://127.0.0.1:8400': url,
      CLUSTER: 'c1',
      ALERT: alert,
      WEBHOOK: created.body.webhookId,
      EVENT: fact?.eventId ?? '',
    },
  };
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const told = await follow(name, surroundings);
    expect(told, name).toEqual(expected.map((text) => expect.stringMatching(text)));
  }
});

test('the commands of the runbook about lost events show what is missing, and let the ledger take facts again', async () => {
  const cwd = await folderForTest();
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: cwd });
  onTestFinished(() => ledger.stop('SIGKILL'));
  await ledger.start();
  const post = async (cluster: string) => {
    const { headers, body } = inStructuredMode(registered(cluster, MARCH));
    return (await ledger.fetch('/v1/events', { method: 'POST', headers, body: body as string })).status;
  };
  for (const cluster of ['c1', 'c2', 'c3']) expect(await post(cluster)).toBe(201);
  await ledger.stop('SIGKILL');
  const wal = join(cwd, 'ledger.db-wal');
  await truncate(wal, (await stat(wal)).size - 5_000);
  await ledger.start();
  expect(await post('c4')).toBe(503);
  const { items } = (await ledger.getJson('/v1/alerts')) as { items: { id: string }[] };
  const told = await follow('LedgerLogBehind', {
    cwd,
    env: { LEDGER_URL: ledger.url },
    replacements: { ALERT: items[0]?.id ?? '' },
  });
  expect(told).toEqual([
    expect.stringMatching(/: 0 [\s\S]+log-behind/),
    expect.stringMatching(/: 0 [\s\S]+what happened +[\s\S]*3 were/),
    expect.stringMatching(/: 0 [\s\S]*the ledger takes facts again/),
  ]);
  expect(await post('c4')).toBe(201);
});

test('the commands of the runbook about an altered log show what was altered', async () => {
  const cwd = await folderForTest();
  const ledger = await ledgerForTest();
  await ledger.record(...['c1', 'c2', 'c3'].map((cluster) => registered(cluster, MARCH)));
  await writeFile(join(cwd, 'ledger.key'), (await ledger.get('/log/key')).text);
  const { storeFile } = ledger;
  await ledger.close();
  const db = new DatabaseSync(storeFile);
  db.exec(`UPDATE log SET data = replace(data, '"acme"', '"acmf"') WHERE position = 2`);
  db.close();
  await ledger.open();
  const alert = await eventually(
    async () => (await ledger.get('/v1/alerts?kind=log-tampered')).body.items[0].id as string,
  );
  const told = await follow('LedgerLogTampered', {
    cwd,
    env: { LEDGER_URL: `http://127.0.0.1:${ledger.port}` },
    replacements: { 'data/ledger.db': storeFile, ALERT: alert },
    before: async (line) => {
      if (line.startsWith('verify')) await ledger.close();
    },
  });
  expect(told).toEqual([
    expect.stringMatching(/: 0 [\s\S]+log-tampered/),
    expect.stringMatching(/: 0 [\s\S]+what happened/),
    expect.stringMatching(/: [1-3] [\s\S]+failed/),
  ]);
});

test('the commands of the runbook about a halted cluster show what is known of it', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', MARCH));
  const painted = { id: randomUUID(), type: 'Painted', data: {}, metadata: {}, recordedAt: ledger.now };
  await ledger.rooms.store.append('cluster-c1', [painted], 0);
  await until(async () => (await ledger.get('/metrics')).text.includes('\nledger_halted_clusters 1\n'));
  const told = await follow('LedgerClusterHalted', {
    cwd: await folderForTest(),
    env: { LEDGER_URL: `http://127.0.0.1:${ledger.port}` },
    replacements: { CLUSTER: 'c1' },
  });
  expect(told).toEqual([
    expect.stringMatching(/: 0 [\s\S]+\nhalted +at position 2: fact type Painted is not known/),
  ]);
});

test('the commands of the runbook about statement drift name the period and the first account, and judge its evidence', async () => {
  const cwd = await folderForTest();
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', MARCH));
  const closings = new PeriodClosingStore(ledger.rooms.store, () => ledger.now);
  await closings.record(
    {
      period: '2026-03',
      watermark: 1,
      accounts: 1,
      totals: { billableClusters: 1, clusterSeconds: '2678400.000' },
      statementsDigest: 'f'.repeat(64),
      rules: 2,
    },
    'altered by hand',
  );
  const alert = await eventually(
    async () => (await ledger.get('/v1/alerts?kind=statement-drift')).body.items[0].id as string,
  );
  await writeFile(join(cwd, 'ledger.key'), (await ledger.get('/log/key')).text);
  await writeFile(
    join(cwd, 'acme-2026-03.json'),
    (await ledger.get('/v1/accounts/acme/evidence?period=2026-03')).text,
  );
  const told = await follow('LedgerStatementDrift', {
    cwd,
    env: { LEDGER_URL: `http://127.0.0.1:${ledger.port}` },
    replacements: { ALERT: alert },
  });
  expect(told).toEqual([
    expect.stringMatching(/: 0 [\s\S]+statement-drift/),
    expect.stringMatching(/: 0 [\s\S]+2026-03/),
    expect.stringMatching(/: 0 [\s\S]+verified: acme, 2026-03/),
  ]);
});

test('the commands of the runbook about parked messages show them, and send them again', async () => {
  const ledger = await ledgerForTest({ clockGoesOn: true });
  const receiver = await receiverForTest();
  receiver.answer = (message, response) =>
    (message.event.subject === 'refused' ? answerWith(422) : ACCEPT)(message, response);
  const created = await ledger.fetch('/v1/webhooks', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: receiver.url }),
  });
  const webhook = `/v1/webhooks/${created.body.webhookId}`;
  const [fact] = await ledger.record(registered('refused', MARCH));
  const parked = async () => (await ledger.get(webhook)).body.delivery.parked as number;
  for (let others = 1; (await parked()) === 0; others++) {
    await ledger.record(registered(`other-${others}`, MARCH));
    await until(() => receiver.accepted.some(({ event }) => event.subject === `other-${others}`));
    ledger.pass(20 * 60_000);
  }
  const told = await follow('LedgerWebhookParked', {
    cwd: await folderForTest(),
    env: { LEDGER_URL: `http://127.0.0.1:${ledger.port}` },
    replacements: { WEBHOOK: created.body.webhookId, EVENT: fact?.eventId ?? '' },
    before: async (line) => {
      if (line.startsWith('webhooks redeliver')) receiver.answer = ACCEPT;
    },
  });
  expect(told).toEqual([
    expect.stringMatching(/: 0 [\s\S]+parked[\s\S]+422/),
    expect.stringMatching(/: 0 [\s\S]+messages to be sent +1/),
  ]);
  await until(() => receiver.accepted.some(({ event }) => event.subject === 'refused'));
  await until(async () => (await parked()) === 0);
});

test('the commands of the runbook about an unreachable store name what is wrong with it until it answers again', async () => {
  const double = await startDouble();
  onTestFinished(() => double.close());
  const network = await startProxy(double.port);
  onTestFinished(() => network.close());
  const ledger = await ledgerForTest({ store: `esdb://127.0.0.1:${network.port}?tls=false` });
  await ledger.record(registered('c1', MARCH));
  const surroundings = {
    cwd: await folderForTest(),
    env: { LEDGER_URL: `http://127.0.0.1:${ledger.port}` },
  };
  await network.refuse(true);
  network.cut();
  await until(async () => {
    ledger.pass(1_000);
    return (await ledger.get('/readyz')).status === 503;
  });
  expect(await follow('LedgerStoreUnreachable', surroundings)).toEqual([
    expect.stringMatching(/: 3 [\s\S]*FAILED +store +unreachable for/),
  ]);
  await network.refuse(false);
  await until(async () => (await ledger.get('/readyz')).status === 200);
  await ledger.record(registered('c2', MARCH));
  expect(await follow('LedgerStoreUnreachable', surroundings)).toEqual([
    expect.stringMatching(/: 0 [\s\S]*ok +store/),
  ]);
});

test('every runbook was followed', () => {
  const followed = [
    ...Object.keys(EXPECTED),
    'LedgerClusterHalted',
    'LedgerLogBehind',
    'LedgerLogTampered',
    'LedgerStatementDrift',
    'LedgerStoreUnreachable',
    'LedgerWebhookParked',
  ];
  expect(readdirSync(RUNBOOKS)).toEqual(followed.map((name) => `${name}.md`).toSorted());
});
