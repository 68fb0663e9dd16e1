import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { encodeModel, readSnapshot } from '../../src/projections/model/snapshot.ts';
import { run } from '../cli/program.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { ledgerForTest, NOON, type TestLedger } from '../support/ledger.ts';
import { until } from '../support/until.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

const storeFile = (ledger: TestLedger) => join(dirname(ledger.snapshotFile), 'ledger.db');

/** Copies the embedded store, also while a ledger uses it. @returns a function that puts the copy back while none does. */
async function backup(ledger: TestLedger): Promise<() => Promise<void>> {
  const file = storeFile(ledger);
  const db = new DatabaseSync(file);
  db.exec(`VACUUM INTO '${file}.backup'`);
  db.close();
  return async () => {
    await rm(`${file}-wal`, { force: true });
    await rm(`${file}-shm`, { force: true });
    await copyFile(`${file}.backup`, file);
  };
}

/** Puts a backup back, starts, and accepts that the events since are lost. */
async function restoreAndAccept(ledger: TestLedger, restore: () => Promise<void>): Promise<void> {
  await restore();
  await ledger.open();
  await acceptLoss(ledger);
}

async function acceptLoss(ledger: TestLedger): Promise<void> {
  const { status, text } = await ledger.fetch('/v1/log/accept-loss', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'there is no newer backup' }),
  });
  expect(status, text).toBe(202);
  await until(() => ledger.acceptedLoss !== undefined);
  await ledger.reopen();
}

/**
 * Records `c2` and another event, which the restore loses, then the same event again at its position, and `c3`. The next start finds the
 * snapshot of before the restore, as after a process that was killed.
 */
async function restoreUnderSnapshot(ledger: TestLedger, restore: () => Promise<void>): Promise<void> {
  const last = stopped('c1', '2026-04-11T00:00:00.000Z');
  await ledger.record(registered('c2', APRIL), last);
  await ledger.close();
  const snapshot = await readFile(ledger.snapshotFile);
  await restoreAndAccept(ledger, restore);
  // The accepted loss has the position of `c2`.
  await ledger.record(last, registered('c3', APRIL));
  await ledger.close();
  await writeFile(ledger.snapshotFile, snapshot);
  await ledger.open();
  await acceptLoss(ledger);
}

/** Returns whether the answers are those of a replay of the whole log. */
async function answersLikeReplay(ledger: TestLedger): Promise<boolean> {
  const { store, projections } = ledger.rooms;
  await projections.waitUntilCaughtUp(60_000);
  const replayed = new LedgerModel();
  for await (const events of store.readAll(0)) for (const event of events) replayed.apply(event);
  return encodeModel(projections.model).equals(encodeModel(replayed));
}

describe('a snapshot of a log that was restored from an older file', () => {
  test('is not used although the same event stands at its last position again', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    await ledger.close();
    const restore = await backup(ledger);
    await ledger.open();
    await restoreUnderSnapshot(ledger, restore);

    expect(await answersLikeReplay(ledger)).toBe(true);
    expect((await ledger.get('/v1/clusters/c2')).status).toBe(404);
    expect((await ledger.get('/v1/clusters/c3')).status).toBe(200);
  });

  test('is not used if the backup was made while its process ran', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const restore = await backup(ledger);
    await restoreUnderSnapshot(ledger, restore);

    expect(await answersLikeReplay(ledger)).toBe(true);
    expect((await ledger.get('/v1/clusters/c2')).status).toBe(404);
  });

  test('is not used if its last event has the same id and was recorded at another time', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const other = new LedgerModel();
    for await (const events of ledger.rooms.store.readAll(0))
      for (const event of events) other.apply({ ...event, recordedAt: event.recordedAt - 1_000 });
    await ledger.close();
    const origin = (await readSnapshot(ledger.snapshotFile, expect.unreachable))?.origin;
    expect(origin).toBeDefined();
    await writeFile(ledger.snapshotFile, encodeModel(other, origin));
    await ledger.open();
    expect(await answersLikeReplay(ledger)).toBe(true);
  });

  test('is removed once an operator accepts the loss', async () => {
    const ledger = await ledgerForTest();
    await ledger.close();
    const restore = await backup(ledger);
    await ledger.open();
    await ledger.record(registered('c1', APRIL));
    await ledger.close();
    await restoreAndAccept(ledger, restore);
    await ledger.rooms.projections.waitUntilCaughtUp(60_000);
    await expect(readFile(ledger.snapshotFile)).rejects.toThrow('ENOENT');
  });
});

test('a snapshot of the same log is used after a restart', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', APRIL));
  await ledger.reopen();
  await ledger.record(registered('c2', APRIL));
  await ledger.reopen();
  await ledger.rooms.projections.waitUntilCaughtUp(60_000);
  expect((await readFile(ledger.snapshotFile)).length).toBeGreaterThan(0);
  expect(await answersLikeReplay(ledger)).toBe(true);
});

/** The epoch that begins at the time of the ledgers of these tests: the seconds since 2026. */
const EPOCH = (Date.parse(NOON) - Date.UTC(2026, 0)) / 1_000;

test('a consumer of the feed that has read lost events is answered with epoch-changed, and goes on as the detail says', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', APRIL));
  await ledger.close();
  const restore = await backup(ledger);
  await ledger.open();
  await ledger.record(registered('lost', APRIL), registered('lost-too', APRIL));
  const { next } = (await ledger.get('/v1/feed')).body;
  expect(next).toBe('3');
  await ledger.close();
  await restoreAndAccept(ledger, restore);
  await ledger.record(registered('c2', APRIL), registered('c3', APRIL));

  const answer = await ledger.get(`/v1/feed?after=${next}`);
  expect([answer.status, answer.body.type]).toEqual([409, 'urn:cluster-ledger:problem:epoch-changed']);
  expect(answer.body.detail).toContain('lost events after position 1;');
  expect(answer.body.detail).toContain(`continue with after=${EPOCH}.1`);
  const rest = (await ledger.get(`/v1/feed?after=${EPOCH}.1`)).body;
  expect(rest.events.map(({ subject }: { subject: string }) => subject)).toEqual(['c2', 'c3']);
  expect(rest.next).toBe(`${EPOCH}.4`);
  const places = (await ledger.get('/v1/feed?after=0')).body.events.map(
    ({ ledgerepoch, ledgerposition }: { ledgerepoch: number; ledgerposition: string }) =>
      `${ledgerepoch}.${ledgerposition}`,
  );
  expect(places).toEqual(['1.1', `${EPOCH}.3`, `${EPOCH}.4`]);
  expect((await ledger.get('/v1/feed?after=1')).body.events).toEqual(rest.events);
  await ledger.reopen();
  expect((await ledger.get(`/v1/feed?after=${EPOCH}.4`)).body).toEqual({ events: [], next: `${EPOCH}.4` });

  await ledger.close();
  const read = (after: string) =>
    run(['events', 'tail', '--json', '--after', after, '--store', `sqlite:${storeFile(ledger)}`]);
  const { stdout } = await read(`${EPOCH}.1`);
  expect(stdout.trim().split('\n')).toHaveLength(2);
  expect((await read(next)).stderr).toContain(`continue with after=${EPOCH}.1`);
});

test('a consumer that missed two restores gets the last position that all epochs share', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', APRIL));
  await ledger.close();
  const first = await backup(ledger);
  await ledger.open();
  await ledger.record(registered('lost', APRIL), registered('lost-too', APRIL));
  const { next } = (await ledger.get('/v1/feed')).body;
  await ledger.close();
  await restoreAndAccept(ledger, first);
  await ledger.record(...['c2', 'c3', 'c4', 'c5'].map((id) => registered(id, APRIL)));
  await ledger.close();
  await rm(`${storeFile(ledger)}.backup`);
  const second = await backup(ledger);
  await ledger.open();
  await ledger.record(registered('lost-later', APRIL));
  await ledger.close();
  await restoreAndAccept(ledger, second);

  const answer = await ledger.get(`/v1/feed?after=${next}`);
  expect([answer.status, answer.body.type]).toEqual([409, 'urn:cluster-ledger:problem:epoch-changed']);
  expect(answer.body.detail).toContain('lost events after position 1;');
  expect(answer.body.detail).toContain(`continue with after=${EPOCH + 1}.1`);
  expect((await ledger.get(`/v1/feed?after=${EPOCH}.6`)).body).toEqual({
    events: [],
    next: `${EPOCH + 1}.7`,
  });
});
