import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { LedgerProcess } from './support/ledger-process.ts';
import { double } from './support/stores.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

interface Block {
  readonly language: string;
  readonly text: string;
}

async function readmeBlocks(): Promise<Block[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language as string,
    text: (text as string).trim(),
  }));
}

/** What stays the same from one run to the next. */
function comparable(json: string): unknown {
  const { eventId: _, recordedAt: __, ...rest } = JSON.parse(json) as Record<string, unknown>;
  return rest;
}

test('every request of the README works, and is answered as it says', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-readme-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: dataDir });
  await ledger.start();
  onTestFinished(async () => {
    await ledger.stop();
    await rm(dataDir, { recursive: true });
  });
  const blocks = await readmeBlocks();
  const requests = blocks.flatMap(({ text }, i) =>
    text.startsWith('curl') ? [[text, blocks[i + 1]?.text ?? '']] : [],
  );
  expect(requests.length).toBe(2);
  for (const [command, said] of requests as [string, string][]) {
    const { stdout } = await run('bash', ['-c', command.replaceAll('http://127.0.0.1:8400', ledger.url)]);
    expect(comparable(stdout)).toEqual(comparable(said));
  }
});

test('every other command of the README is one that a test or the build runs', async () => {
  const commands = (await readmeBlocks())
    .filter(({ language, text }) => language === 'sh' && !text.startsWith('curl'))
    .flatMap(({ text }) => text.split('\n'));
  // `npm ci` and `npm test`: .ci/run; the demo: test/e2e/demo.test.ts; EventStoreDB: the next test.
  expect(commands).toEqual([
    'npm ci',
    'npm run demo',
    "LEDGER_STORE='esdb://127.0.0.1:2113?tls=false' npm start",
    'npm test',
  ]);
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'demo', 'check', 'test', 'bench']));
});

test('it starts on EventStoreDB as the README says', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-readme-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const ledger = new LedgerProcess({ LEDGER_STORE: double.connection, LEDGER_DATA_DIR: dataDir });
  await ledger.start();
  expect(await ledger.getJson('/readyz')).toMatchObject({ status: 'ready' });
  await ledger.stop();
  expect(ledger.exitCode).toBe(0);
});
