import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { NoteSigner } from '../../../src/audit/note-key.ts';
import { type StoreOptions, verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { recordDispute } from '../../support/disputed.ts';
import { publishedKeys } from '../../support/evidence.ts';
import { openLedger } from '../../support/ledger.ts';

let folder: string;
let file: string;
let older: string;
let keys: string[];
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-store-'));
  file = join(folder, 'ledger.sqlite');
  const ledger = await openLedger({ store: `sqlite:${file}` });
  older = await recordDispute(ledger);
  keys = await publishedKeys(ledger);
  origin = ledger.rooms.signedLog.origin;
  await ledger.discard();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let copies = 0;

/** Verifies a copy of the store, in which somebody has changed something. */
async function verified(change: string, options: StoreOptions) {
  const copy = join(folder, `copy-${copies++}.sqlite`);
  await copyFile(file, copy);
  const database = new DatabaseSync(copy);
  database.exec(change);
  database.close();
  const store = await SqliteStore.open(copy);
  onTestFinished(() => store.close());
  return verifyStore(store, options);
}

const forgetCheckpoints = "DELETE FROM state WHERE stream = '~log-checkpoints';";

describe('an honest store', () => {
  test('is what was signed of it, and its periods are closed as the rules say', async () => {
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => void seen.push([done, total]);
    expect(await verified('', { keys, olderCheckpoint: older, onProgress })).toMatchObject({
      ok: true,
      summary: { origin, size: 20, signedSize: 20, closings: 3, statementsChecked: true },
    });
    expect(seen.at(-1)).toEqual([20, 20]);
    expect(await verified('', {})).toMatchObject({ ok: true });
    expect(await verified(forgetCheckpoints, { statements: false })).toMatchObject({
      ok: true,
      summary: { checkpoints: 0, signedSize: 0, statementsChecked: false },
    });
  });

  test('is not believed on a key that has not signed', async () => {
    const stranger = NoteSigner.generate(origin).verifier.toString();
    expect(await verified('', { keys: [stranger] })).toMatchObject({ ok: false, check: 'signature' });
  });
});

describe.each<[lie: string, check: string, why: RegExp, change: string]>([
  [
    'a fact was changed',
    'consistency',
    /first 6 events are not those of the kept checkpoint 1, of 6 events/,
    `UPDATE log SET data = replace(data, '2026-01-10', '2026-01-11') WHERE position = 2`,
  ],
  [
    'a fact was changed that was recorded later',
    'consistency',
    /first 20 events/,
    `UPDATE log SET recorded_at = recorded_at + 1 WHERE position = 20`,
  ],
  [
    'the end was cut off',
    'consistency',
    /the log has 18 events, fewer than the 20 of the kept checkpoint \d+, of 20 events: it was cut off/,
    'DELETE FROM log WHERE position > 18',
  ],
  [
    'a checkpoint was changed',
    'signature',
    /kept checkpoint 1 is not signed by a key that was given/,
    `UPDATE state SET data = replace(data, '6', '7') WHERE stream = '~log-checkpoints' AND revision = 1`,
  ],
  [
    'a digest was changed',
    'statement',
    /closing at position 13 .* 2026-02.statementsDigest is/,
    `${forgetCheckpoints} UPDATE log SET data = replace(data, '"statementsDigest":"', '"statementsDigest":"0') WHERE position = 13`,
  ],
  [
    'a total was changed',
    'statement',
    /closing at position 13 .* 2026-02.totals.billableClusters is/,
    `${forgetCheckpoints} UPDATE log SET data = replace(data, '"billableClusters":', '"billableClusters":1') WHERE position = 13`,
  ],
  [
    'a fact was changed, and all checkpoints are gone',
    'statement',
    /closing at position 7 is not that of its facts: 2026-01/,
    `${forgetCheckpoints} UPDATE log SET data = replace(data, '2026-01-10', '2026-01-11') WHERE position = 2`,
  ],
  [
    'a fact is of a type that nobody knows',
    'statement',
    /position 3 cannot be accounted for: "ClusterRegistered.v9"/,
    `${forgetCheckpoints} UPDATE log SET type = 'ClusterRegistered.v9' WHERE position = 3`,
  ],
  [
    'an id stands twice',
    'completeness',
    /position 20 has an id that stood before/,
    `${forgetCheckpoints} UPDATE log SET id = (SELECT id FROM log WHERE position = 1) WHERE position = 20`,
  ],
  [
    'a watermark lies ahead',
    'completeness',
    /position 13 closes 2026-02 at watermark "99"/,
    `${forgetCheckpoints} UPDATE log SET data = replace(data, '"watermark":"12"', '"watermark":"99"') WHERE position = 13`,
  ],
])('a store in which %s', (_, check, why, change) => {
  test(`is found out by the check of ${check}`, async () => {
    const options = check === 'signature' || check === 'consistency' ? { keys } : {};
    expect(await verified(change, options)).toEqual({ ok: false, check, why: expect.stringMatching(why) });
  });
});

test('a store that was made anew from its beginning is found out by a checkpoint that was kept elsewhere', async () => {
  const change = `${forgetCheckpoints} UPDATE log SET metadata = '{}' WHERE position = 6`;
  expect(await verified(change, { statements: false })).toMatchObject({ ok: true });
  expect(await verified(change, { keys, olderCheckpoint: older })).toEqual({
    ok: false,
    check: 'consistency',
    why: expect.stringMatching(/first 6 events are not those of the older checkpoint/),
  });
});
