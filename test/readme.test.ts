import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config/config.ts';
import { cloudEventType } from '../src/domain/facts/cloud-event.ts';
import { FACT_TYPES } from '../src/domain/facts/fact.ts';
import { PROGRAM } from './cli/program.ts';
import { LedgerProcess } from './support/ledger-process.ts';
import { blocksOf } from './support/page.ts';
import { double } from './support/stores.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

const readmeBlocks = () => blocksOf('README.md');

/** The fields that are the same in every run. */
function comparable(json: string): unknown {
  const { eventId: _, recordedAt: __, ...rest } = JSON.parse(json) as Record<string, unknown>;
  return rest;
}

/** Returns whether a command of the README runs on the started ledger. */
const isOnTheLedger = (line: string) => line.startsWith('curl') || line.startsWith('npx cluster-ledger ');

test('every request and command of the README works in order, with the answer that the README shows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-readme-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: join(folder, 'data') });
  await ledger.start();
  onTestFinished(async () => {
    await ledger.stop();
    await rm(folder, { recursive: true });
  });
  const shell = async (command: string) => {
    const here = command
      .replaceAll('http://127.0.0.1:8400', ledger.url)
      .replace(/^npx cluster-ledger /gm, `'${process.execPath}' '${PROGRAM}' `);
    const surroundings = `export XDG_CONFIG_HOME='${folder}' LEDGER_URL='${ledger.url}'`;
    return (await run('bash', ['-e', '-c', `${surroundings}\n${here}`], { cwd: folder })).stdout;
  };
  const blocks = await readmeBlocks();
  const told: string[] = [];
  for (const [i, { language, text }] of blocks.entries()) {
    if (language !== 'sh' || !isOnTheLedger(text)) continue;
    const stdout = await shell(text);
    if (text.startsWith('curl')) expect(comparable(stdout)).toEqual(comparable(blocks[i + 1]?.text ?? ''));
    else told.push(stdout);
  }
  const [figure, closed, verified] = told;
  expect(told.length).toBe(3);
  expect(figure).toMatch(
    /acme +1 +2678400\.000[\s\S]+^c1 +2026-01-01T00:00:00Z +2026-02-01T00:00:00Z +2678400\.000 +1$/m,
  );
  expect(closed).toMatch(/would close +2026-01[\s\S]+closed +2026-01[\s\S]+period +2026-01/);
  expect(verified).toMatch(/ok +seal[\s\S]+verified: acme, 2026-01/);
});

test('a test or the build runs every other command of the README', async () => {
  const commands = (await readmeBlocks())
    .filter(({ language, text }) => language === 'sh' && !isOnTheLedger(text))
    .flatMap(({ text }) => text.split('\n'));
  // `npm ci` and `npm test`: .ci/run; the demo and `npm start`: test/npm-scripts.test.ts; EventStoreDB: the last test.
  expect(commands).toEqual([
    'npm ci && npm run demo',
    'npm ci && npm test',
    'npm start',
    "LEDGER_STORE='esdb://127.0.0.1:2113?tls=false' npm start",
  ]);
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'demo', 'check', 'test', 'bench']));
});

test('the settings that the README and the docs show are valid', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-readme-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const configFrom = async (yaml: string) => {
    const file = join(folder, 'ledger.yaml');
    await writeFile(file, yaml);
    return readConfig({ LEDGER_CONFIG: file });
  };
  const [shown, ...more] = (await readmeBlocks()).filter(({ language }) => language === 'yaml');
  expect(more).toEqual([]);
  const { validator } = await configFrom(shown?.text ?? '');
  expect(validator.policy.mode).toBe('observe');
  expect(validator.credentials.directory).toBe('/etc/cluster-ledger/kubeconfigs');
  for (const page of [
    'docs/validator.md',
    'docs/how-to/roll-out-the-validator.md',
    'docs/how-to/give-access.md',
  ]) {
    const examples = (await blocksOf(page)).filter(({ language }) => language === 'yaml');
    expect(examples.length).toBeGreaterThan(0);
    for (const { text } of examples) await configFrom(text);
  }
});

test('every event of docs/how-to/post-facts.md is accepted, and every request is answered as the page says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-post-facts-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: folder });
  await ledger.start();
  onTestFinished(async () => {
    await ledger.stop();
    await rm(folder, { recursive: true });
  });
  const withoutClock = ({ recordedAt: _, ...rest }: Record<string, unknown>) => rest;
  const blocks = await blocksOf('docs/how-to/post-facts.md');
  const posted = new Set<string>();
  let answer: unknown;
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const command = text.replaceAll('http://127.0.0.1:8400', ledger.url);
      answer = withoutClock(JSON.parse((await run('bash', ['-e', '-c', command])).stdout));
      continue;
    }
    const document = JSON.parse(text) as Record<string, unknown>;
    if (!('specversion' in document)) {
      expect(withoutClock(document)).toEqual(answer);
      continue;
    }
    const headers = { 'content-type': 'application/cloudevents+json' };
    const response = await fetch(`${ledger.url}/v1/events`, { method: 'POST', headers, body: text });
    expect(response.status, `${text}\n${await response.text()}`).toBe(201);
    posted.add(String(document['type']));
  }
  expect(answer).toMatchObject({ type: 'urn:cluster-ledger:problem:event-id-reused' });
  const page = await readFile(join(root, 'docs/how-to/post-facts.md'), 'utf8');
  const types = FACT_TYPES.map(cloudEventType);
  expect([...page.matchAll(/^\| `(io\.[\w.-]+)` +\|/gm)].map(([, type]) => type)).toEqual(types);
  const deletedByCommand = cloudEventType('ClusterDeleted');
  expect([...posted, deletedByCommand].sort()).toEqual(types.toSorted());
});

test('every command of docs/how-to/give-access.md works in order, and each user gets its first answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-give-access-'));
  // Listens on every address, which it refuses without a key.
  const ledger = new LedgerProcess({
    LEDGER_DATA_DIR: join(folder, 'data'),
    LEDGER_HTTP_HOST: '0.0.0.0',
    LEDGER_LOG_LEVEL: 'trace',
  });
  onTestFinished(async () => {
    await ledger.stop();
    await rm(folder, { recursive: true });
  });
  const serve = 'LEDGER_HTTP_HOST=0.0.0.0 npx cluster-ledger serve';
  let surroundings = `export XDG_CONFIG_HOME='${folder}'`;
  const shell = async (command: string) => {
    const here = command
      .replaceAll('http://127.0.0.1:8400', ledger.url)
      .replace(/^npx cluster-ledger /gm, `'${process.execPath}' '${PROGRAM}' `);
    return (await run('bash', ['-e', '-c', `${surroundings}\n${here}`], { cwd: folder })).stdout;
  };
  const told: string[] = [];
  const commands = (await blocksOf('docs/how-to/give-access.md')).filter(({ language }) => language === 'sh');
  for (const { text } of commands) {
    if (text === serve) {
      await ledger.start();
      surroundings += '; umask 077';
    } else told.push(await shell(text));
  }
  expect(commands.map(({ text }) => text)).toContain(serve);
  const [, , keys, fact, usage, verified, clusters, me] = told;
  expect(keys).toMatch(/Ada +operator[\s\S]+pro-app +producer[\s\S]+Acme Inc\. +customer acme/);
  expect(JSON.parse(fact ?? '')).toMatchObject({ outcome: 'appended', clusterId: 'c1' });
  expect(JSON.parse(usage ?? '').items).toMatchObject([{ accountId: 'acme' }]);
  expect(verified).toMatch(/ok +seal/);
  expect(JSON.parse(clusters ?? '').items).toMatchObject([{ clusterId: 'c1', accountId: 'acme' }]);
  expect(JSON.parse(me ?? '')).toMatchObject({ role: 'customer', accountId: 'acme' });
  const secrets = await Promise.all(
    ['operator', 'pro-app', 'billing-service', 'auditor', 'acme'].map((user) =>
      readFile(join(folder, 'keys', user), 'utf8'),
    ),
  );
  for (const secret of secrets) {
    expect(secret).toMatch(/^clk_[a-z0-9]{12}_[A-Za-z0-9]{38}\n$/);
    expect(ledger.output).not.toContain(secret.trim().split('_')[2]);
  }
});

test('the ledger starts on EventStoreDB as the README says', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-readme-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const ledger = new LedgerProcess({ LEDGER_STORE: double.connection, LEDGER_DATA_DIR: dataDir });
  await ledger.start();
  expect(await ledger.getJson('/readyz')).toMatchObject({ status: 'ready' });
  await ledger.stop();
  expect(ledger.exitCode).toBe(0);
});
