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

describe('a store that no ledger has in use', () => {
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

  test('is left alone while one has it: exit 4', async () => {
    const [list, verify] = await Promise.all(
      ['period list', 'verify'].map((line) => run([...words(line), '--store', store])),
    );
    for (const { code, stdout, stderr } of [list, verify] as NonNullable<typeof list>[]) {
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toContain('is in use by another ledger');
    }
  });

  test('gives the same output as over HTTP, and is as it was', async () => {
    await ledger.close();
    const before = await fingerprint(folder);
    // One at a time: each has the file for itself.
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

  test('is never made where there is none', async () => {
    const empty = await folderForTest();
    const [file, text, nothing] = ['absent.db', 'text.db', 'empty.db'].map((name) => join(empty, name)) as [
      string,
      string,
      string,
    ];
    await Promise.all([writeFile(text, 'the letters of somebody'), writeFile(nothing, '')]);
    const told = await Promise.all(
      [file, text, nothing].map((each) => run(['period', 'list', '--store', `sqlite:${each}`])),
    );
    expect(told.map(({ code, stderr }) => [code, stderr])).toEqual([
      [4, `error: there is no file ${file}\n`],
      [4, `error: ${text} is no SQLite file\n`],
      [4, `error: ${nothing} is empty: no ledger was ever there\n`],
    ]);
    expect((await readdir(empty)).sort()).toEqual(['empty.db', 'text.db']);
  });
});

describe('EventStoreDB', () => {
  test('is read as a store too, by its namespace', async () => {
    const ledger = await openLedger({ store: double.connection });
    try {
      await fillLedger(ledger);
      const line = words(`usage ${JANUARY} --json`);
      const namespace = /snapshot-esdb-(.+)\.bin$/.exec(ledger.snapshotFile)?.[1] as string;
      const there = await run([...line, '--url', `http://127.0.0.1:${ledger.port}`]);
      const here = await run([...line, '--store', double.connection, '--namespace', namespace]);
      expect(here).toEqual({ ...there, code: 0 });
      const nobody = await run([...line, '--store', double.connection, '--namespace', 'no-such']);
      expect(nobody.stderr).toBe('warning: the store of namespace no-such holds no events\n');
    } finally {
      await ledger.discard();
    }
  });

  test('that cannot be reached ends a command with 4', async () => {
    const { code, stderr } = await run(words('period list --store esdb://me:secret@127.0.0.1:9?tls=false'));
    expect(code).toBe(4);
    expect(stderr).toContain('cannot be reached');
    expect(stderr).not.toContain('secret');
  });
});

/** The names and contents of all files in a folder, but for the lock. */
async function fingerprint(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.lock')).sort();
  const hashes = names.map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return [name, createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}
