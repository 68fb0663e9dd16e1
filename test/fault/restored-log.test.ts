import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { encodeModel } from '../../src/projections/model/snapshot.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

/** Copies the embedded store of a closed ledger. */
async function backup(ledger: TestLedger): Promise<() => Promise<void>> {
  const file = join(dirname(ledger.snapshotFile), 'ledger.db');
  await copyFile(file, `${file}.backup`);
  return async () => {
    await rm(`${file}-wal`, { force: true });
    await rm(`${file}-shm`, { force: true });
    await copyFile(`${file}.backup`, file);
  };
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
    const last = stopped('c1', '2026-04-11T00:00:00.000Z');
    await ledger.record(registered('c2', APRIL), last);
    await ledger.close();
    const snapshot = await readFile(ledger.snapshotFile);

    // The process that runs after the restore is killed, so the older snapshot is in its place at the next start.
    await restore();
    await ledger.open();
    await ledger.record(registered('c3', APRIL), last);
    await ledger.close();
    await writeFile(ledger.snapshotFile, snapshot);
    await ledger.open();

    expect(await answersLikeReplay(ledger)).toBe(true);
    expect((await ledger.get('/v1/clusters/c2')).status).toBe(404);
    expect((await ledger.get('/v1/clusters/c3')).status).toBe(200);
  });

  test('is removed at the first start', async () => {
    const ledger = await ledgerForTest();
    await ledger.close();
    const restore = await backup(ledger);
    await ledger.open();
    await ledger.record(registered('c1', APRIL));
    await ledger.close();
    await restore();
    await ledger.open();
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
  await restore();
  await ledger.open();
  await ledger.record(registered('c2', APRIL), registered('c3', APRIL));

  const answer = await ledger.get(`/v1/feed?after=${next}`);
  expect([answer.status, answer.body.type]).toEqual([409, 'urn:cluster-ledger:problem:epoch-changed']);
  expect(answer.body.detail).toContain('lost events after position 1;');
  expect(answer.body.detail).toContain('continue with after=2.1');
  const rest = (await ledger.get('/v1/feed?after=2.1')).body;
  expect(rest.events.map(({ subject }: { subject: string }) => subject)).toEqual(['c2', 'c3']);
  expect(rest.next).toBe('2.3');
  expect((await ledger.get('/v1/feed?after=1')).body.events).toEqual(rest.events);
  await ledger.reopen();
  expect((await ledger.get('/v1/feed?after=2.3')).body).toEqual({ events: [], next: '2.3' });
});
