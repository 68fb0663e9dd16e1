import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillLedger } from '../support/filled-ledger.ts';
import { openLedger } from '../support/ledger.ts';
import { double } from '../support/stores.ts';
import { folderForTest, run, words } from './program.ts';

const JANUARY = '--period 2026-01 --through 2026-04-15T00:00:00Z';
const LINES = [
  `usage ${JANUARY}`,
  `explain acme ${JANUARY} --json`,
  `replay acme ${JANUARY} --json`,
  'events tail --after 0 --json',
];

describe('--store', () => {
  let ledger: Awaited<ReturnType<typeof openLedger>>;
  let folder: string;
  let store: string;
  const answers = new Map<string, string>();

  beforeAll(async () => {
    ledger = await openLedger();
    await fillLedger(ledger);
    folder = dirname(ledger.snapshotFile);
    store = `sqlite:${join(folder, 'ledger.db')}`;
    const url = `http://127.0.0.1:${ledger.port}`;
    await Promise.all(
      LINES.map(async (line) => {
        const { code, stdout } = await run([...words(line), '--url', url]);
        expect(code).toBe(0);
        answers.set(line, stdout);
      }),
    );
  });
  afterAll(() => ledger.discard());

  test('ends with 4 while a ledger uses the store', async () => {
    const [list, verify] = await Promise.all(
      ['period list', 'verify'].map((line) => run([...words(line), '--store', store])),
    );
    for (const { code, stdout, stderr } of [list, verify] as NonNullable<typeof list>[]) {
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toContain('is in use by another ledger');
    }
  });

  test('gives the same output as a running ledger and changes no file', async () => {
    await ledger.close();
    const before = await fingerprint(folder);
    // One at a time: each command locks the file.
    for (const line of LINES) {
      const { code, stdout, stderr } = await run([...words(line), '--store', store], {
        cwd: await folderForTest(),
      });
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' });
      expect(stdout).toBe(answers.get(line));
    }
    const dryRun = await run([...words('period close 2026-02 --dry-run --json'), '--store', store]);
    expect(JSON.parse(dryRun.stdout)).toMatchObject({ outcome: 'would-close', period: '2026-02' });
    const verified = await run(['verify', '--store', store]);
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('\nverified: cluster-ledger.local/'),
    });
    expect(await fingerprint(folder)).toEqual(before);
  });

  test('never creates a database: ends with 4 if the file is absent, empty or not SQLite', async () => {
    const empty = await folderForTest();
    const [file, text, nothing] = ['absent.db', 'text.db', 'empty.db'].map((name) => join(empty, name)) as [
      string,
      string,
      string,
    ];
    await Promise.all([writeFile(text, 'a letter to a friend'), writeFile(nothing, '')]);
    const runs = await Promise.all(
      [file, text, nothing].map((path) => run(['period', 'list', '--store', `sqlite:${path}`])),
    );
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual([
      [4, `error: file not found: ${file}\n`],
      [4, `error: ${text} is not an SQLite file\n`],
      [4, `error: ${nothing} is empty: it does not hold a ledger\n`],
    ]);
    expect((await readdir(empty)).sort()).toEqual(['empty.db', 'text.db']);
  });
});

describe('--store with EventStoreDB', () => {
  test('reads the streams of a namespace', async () => {
    const ledger = await openLedger({ store: double.connection });
    try {
      await fillLedger(ledger);
      const line = words(`usage ${JANUARY} --json`);
      const namespace = /snapshot-esdb-(.+)\.bin$/.exec(ledger.snapshotFile)?.[1] as string;
      const there = await run([...line, '--url', `http://127.0.0.1:${ledger.port}`]);
      const here = await run([...line, '--store', double.connection, '--namespace', namespace]);
      expect(here).toEqual({ ...there, code: 0 });
      const nobody = await run([...line, '--store', double.connection, '--namespace', 'no-such']);
      expect(nobody.stderr).toBe('warning: the store with namespace no-such holds no events\n');
    } finally {
      await ledger.discard();
    }
  });

  test('ends with 4, without printing the password, if the store cannot be reached', async () => {
    const { code, stderr } = await run(words('period list --store esdb://me:secret@127.0.0.1:9?tls=false'));
    expect(code).toBe(4);
    expect(stderr).toContain('cannot reach');
    expect(stderr).not.toContain('secret');
  });
});

/** Returns the hash of every file in a folder, except the lock file. */
async function fingerprint(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.lock')).sort();
  const hashes = names.map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return [name, createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}
