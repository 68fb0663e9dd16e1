import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordDispute } from '../support/disputed.ts';
import { openLedger } from '../support/ledger.ts';
import { folderForTest, run, words } from './program.ts';

let ledger: Awaited<ReturnType<typeof openLedger>>;
let folder: string;
let url: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  ledger = await openLedger();
  const older = await recordDispute(ledger);
  folder = dirname(ledger.snapshotFile);
  url = `http://127.0.0.1:${ledger.port}`;
  const [key, since] = [await run(['log', 'key', '--url', url]), older.split('\n')[1] as string];
  await Promise.all([writeFile(at('key'), key.stdout), writeFile(at('older'), older)]);
  const evidence = await run(
    words(`evidence acme 2026-02 -o ${at('acme.json')} --since ${since} --url ${url}`),
  );
  expect(evidence).toMatchObject({ code: 0, stdout: '' });
});
afterAll(() => ledger.discard());

describe('evidence', () => {
  test('writes the whole file, and prints its content and how to verify it', async () => {
    const { code, stdout, stderr } = await run(
      words(`evidence acme 2026-02 -o ${at('again.json')} --url ${url}`),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(
      /^evidence of acme for 2026-02 written to \S+: statement, \d+ facts of 4 clusters, 3 closings$/m,
    );
    expect(stderr).toContain(`cluster-ledger verify ${at('again.json')} --key KEY`);
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  test('prints the file to stdout with -o -', async () => {
    const { stdout, stderr } = await run(words(`evidence globex 2026-04 -o - --url ${url}`));
    expect(JSON.parse(stdout).evidence).toMatchObject({ accountId: 'globex', period: '2026-04' });
    expect(stderr).toContain('usage so far');
  });

  test('keeps an existing file if the request fails, and ends with 1 if the folder is absent', async () => {
    const [rejected, nowhere] = await Promise.all([
      run(words(`evidence nobody 2026-02 -o ${at('key')} --url ${url}`)),
      run(words(`evidence acme 2026-02 -o ${at('no/such/folder')} --url ${url}`)),
    ]);
    expect(rejected.code).toBe(1);
    expect(await readFile(at('key'), 'utf8')).toContain('+');
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot write') });
  });
});

describe('verify', () => {
  test('passes all checks on a file of the ledger', async () => {
    const { code, stdout, stderr } = await run([
      'verify',
      at('acme.json'),
      '--key',
      at('key'),
      '--checkpoint',
      at('older'),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      'ok format',
      'ok signature',
      'ok inclusion',
      'ok consistency',
      'ok completeness',
      'ok statement',
      'ok seal',
      'verified: acme, 2026-02',
      '',
    ]);
  });

  test('ends with 3 and names the failed check for a changed, torn or foreign file', async () => {
    const file = await readFile(at('acme.json'), 'utf8');
    const changed = file.replace('"recordedAt":"2026-04-15', '"recordedAt":"2026-04-14');
    expect(changed).not.toBe(file);
    await Promise.all([
      writeFile(at('changed.json'), changed),
      writeFile(at('torn.json'), file.slice(0, -100)),
    ]);
    const [people, programs, torn, stranger] = await Promise.all([
      run(['verify', at('changed.json'), '--key', at('key')]),
      run(['verify', at('changed.json'), '--key', at('key'), '--json']),
      run(['verify', at('torn.json'), '--key', at('key')]),
      run(['verify', at('acme.json'), '--key', 'x+57744c72+AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC']),
    ]);
    expect(people).toMatchObject({ code: 3, stderr: '' });
    expect(people.stdout).toMatch(
      /^ok +format .*\nok +signature .*\nFAILED +inclusion +the event at position \d+ .* is not in the log .*\nverification failed\n$/,
    );
    expect(programs.code).toBe(3);
    expect(JSON.parse(programs.stdout)).toMatchObject({
      ok: false,
      check: 'inclusion',
      why: expect.any(String),
    });
    expect(torn).toMatchObject({ code: 3, stdout: expect.stringMatching(/^FAILED +format/) });
    expect([2, 3]).toContain(stranger.code);
  });

  test('verifies a whole published log, alone and with a file', async () => {
    const [log, file, json] = await Promise.all([
      run(['verify', '--url', url, '--key', at('key'), '--checkpoint', at('older'), '--statements']),
      run(['verify', at('acme.json'), '--url', url, '--key', at('key')]),
      run(['verify', '--url', url, '--key', at('key'), '--json']),
    ]);
    expect(log).toMatchObject({ code: 0, stderr: '' });
    expect(log.stdout).toMatch(/^ok +consistency +the log continues the older checkpoint of \d+ events$/m);
    expect(log.stdout).toMatch(/^ok +statements +the statements of 3 closed periods follow from the facts$/m);
    expect(file).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ok +evidence +the file omits nothing/m),
    });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, summary: { closings: 3 } });
  });

  test('passes an intact store and ends with 3 for a changed one', async () => {
    await ledger.close();
    const copies = await folderForTest();
    const [sound, changed] = [join(copies, 'sound.db'), join(copies, 'changed.db')];
    await Promise.all([sound, changed].map((copy) => copyFile(at('ledger.db'), copy)));
    const db = new DatabaseSync(changed);
    db.exec("UPDATE log SET data = replace(data, 'acme', 'acmf') WHERE position = 2");
    db.close();
    const key = ['--key', at('key')];
    const [good, bad] = await Promise.all([
      run(['verify', '--store', `sqlite:${sound}`, ...key, '--checkpoint', at('older')]),
      run(['verify', '--store', `sqlite:${changed}`, ...key]),
    ]);
    expect(good).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ok +statements +the statements of 3 closed/m),
    });
    expect(good.stdout).toMatch(/^ok +consistency +the log continues the older checkpoint of 6 events$/m);
    expect(bad.code).toBe(3);
    expect(bad.stdout).toMatch(/^FAILED +consistency/);
  });
});
