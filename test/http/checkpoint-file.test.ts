import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { checkpointFile } from '../../src/app/open-log.ts';
import { parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { openNote } from '../../src/audit/note.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { putBackAfter } from '../support/put-back.ts';
import { double, sqlite } from '../support/stores.ts';
import { until } from '../support/until.ts';

const APRIL = '2026-04-01T00:00:00.000Z';
const fileOf = (ledger: TestLedger) => checkpointFile(ledger.config);

/** Lets 10 seconds pass, within which every event is signed, and waits until the checkpoint in the file covers this many. */
async function waitUntilFiled(ledger: TestLedger, size: number): Promise<void> {
  ledger.pass(10_000);
  await until(async () => (await filedSize(ledger)) === size);
}

/** Returns the number of events that the checkpoint in the file covers; 0 if there is no file. */
async function filedSize(ledger: TestLedger): Promise<number> {
  const note = await readFile(fileOf(ledger), 'utf8').catch(() => undefined);
  if (note === undefined) return 0;
  return parseCheckpoint(openNote(note, ledger.rooms.signedLog.verifiers()).text).size;
}

async function record(ledger: TestLedger, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await ledger.record({ ...registered(`c${n}`, APRIL), id: `e${n}` });
}

/** A ledger whose facts are signed outside of the store, and by no newer checkpoint in it. */
async function killed(store: string): Promise<{ ledger: TestLedger; discard(): Promise<void> }> {
  const ledger = await ledgerForTest({ store });
  await record(ledger, 0, 3);
  await ledger.rooms.signedLog.checkpoint(3);
  await record(ledger, 3, 6);
  await waitUntilFiled(ledger, 6);
  return { ledger, discard: () => ledger.close() };
}

const readiness = async (ledger: TestLedger) => (await ledger.get('/readyz')).body.checks.log;

test.each([
  ['SQLite', sqlite.connection],
  ['a double of EventStoreDB', double.connection],
])(
  'on %s, each event is signed within 10 seconds in a file that only the owner can read, and the store keeps no checkpoint for it',
  async (_, store) => {
    const { ledger } = await killed(store);
    expect(ledger.rooms.signedLog.newest()?.size).toBe(3);
    expect((await stat(fileOf(ledger))).mode & 0o777).toBe(0o600);
    await record(ledger, 6, 8);
    await waitUntilFiled(ledger, 8);
    expect(ledger.rooms.signedLog.newest()?.size).toBe(3);
    await ledger.reopen();
    expect(await ledger.rooms.signedLog.waitUntilReady(60_000)).toBe(true);
    expect(ledger.rooms.signedLog.tampered).toBeUndefined();
  },
);

test('a store that was changed with all of its checkpoints and its witness does not match the file outside of it', async () => {
  const { ledger } = await killed(sqlite.connection);
  await ledger.close();
  const db = new DatabaseSync(ledger.storeFile);
  db.exec(`UPDATE log SET data = replace(data, '"acme"', '"acmf"') WHERE position = 5`);
  db.exec(`DELETE FROM state WHERE stream = '~log-checkpoints' AND revision > 1`);
  db.close();
  await rm(`${ledger.storeFile}-acknowledged`);
  await rm(ledger.snapshotFile, { force: true });
  await ledger.open();
  await until(async () => !(await readiness(ledger)).ok);
  expect(ledger.rooms.signedLog.tampered?.why).toMatch(/the first 6 events do not match the checkpoint in /);
  expect((await ledger.post(registered('c9', APRIL))).status).toBe(503);
});

test('a store that was put back from a backup, with its witness and without a snapshot, is behind the file outside of it, until an operator accepts the loss', async () => {
  const ledger = await ledgerForTest();
  await record(ledger, 0, 3);
  const files = [ledger.storeFile, `${ledger.storeFile}-acknowledged`];
  await putBackAfter(ledger, files, () => record(ledger, 3, 6));
  await rm(ledger.snapshotFile, { force: true });
  await ledger.open();
  expect(await readiness(ledger)).toEqual({
    ok: false,
    detail: expect.stringMatching(
      /^log-behind: the log has 3 events, and 6 were signed by the checkpoint in /,
    ),
  });
  expect((await ledger.post(registered('c9', APRIL))).body.type).toBe('urn:cluster-ledger:problem:read-only');
  expect((await ledger.get('/metrics')).text).toMatch(/^ledger_log_behind 1$/m);
  expect((await ledger.get('/metrics')).text).toMatch(/^ledger_log_tampered 0$/m);
  const accept = await ledger.fetch('/v1/log/accept-loss', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'the backup is the newest one' }),
  });
  expect(accept.status, accept.text).toBe(202);
  await until(() => ledger.acceptedLoss !== undefined);
  await ledger.reopen();
  await record(ledger, 3, 7);
  await waitUntilFiled(ledger, 8);
  await ledger.reopen();
  expect(await ledger.rooms.signedLog.waitUntilReady(60_000, 8)).toBe(true);
});

test('a file outside of the store that is damaged says nothing, is named in the log and is replaced', async () => {
  const ledger = await ledgerForTest();
  await record(ledger, 0, 3);
  await ledger.close();
  const note = await readFile(fileOf(ledger), 'utf8');
  for (const damaged of ['', note.slice(0, 60), note.replace('\n3\n', '\n9\n')]) {
    await writeFile(fileOf(ledger), damaged);
    await ledger.open();
    await until(async () => (await filedSize(ledger).catch(() => 0)) === 3);
    expect(ledger.logged.at(-1)).toMatchObject({
      file: fileOf(ledger),
      msg: expect.stringContaining('is damaged'),
    });
    await ledger.close();
  }
});

test('a file outside of the store that cannot be written is named in the log once, and facts are recorded', async () => {
  const ledger = await ledgerForTest();
  await ledger.close();
  await rm(fileOf(ledger), { force: true });
  await mkdir(fileOf(ledger));
  await expect(ledger.open()).rejects.toThrow(/checkpoint outside of the store, .*, cannot be read: EISDIR/);
  await rm(fileOf(ledger), { recursive: true });
  await ledger.open();
  await mkdir(`${fileOf(ledger)}/x`, { recursive: true });
  await record(ledger, 0, 2);
  await ledger.rooms.signedLog.checkpoint(2);
  await record(ledger, 2, 3);
  await ledger.rooms.signedLog.checkpoint(3);
  expect(ledger.logged.filter(({ file }) => file === fileOf(ledger))).toHaveLength(1);
  await rm(fileOf(ledger), { recursive: true });
});
