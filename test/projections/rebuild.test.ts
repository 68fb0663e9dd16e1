import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { decodeModel, encodeModel } from '../../src/projections/model/snapshot.ts';
import { deleted, event, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { readLog } from '../support/store-events.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { NO_CREDENTIAL, REFUSED, TestValidator } from '../support/validator.ts';

/** A history with every kind of event that the projections distinguish, including rejected and repeated ones. */
async function play(ledger: TestLedger): Promise<void> {
  for (let n = 0; n < 12; n++) {
    const [cluster, account] = [`c${n}`, `account-${n % 3}`];
    const registration = registered(cluster, '2026-03-20T10:00:00.000Z', account, {
      labels: { n: String(n) },
    });
    await ledger.post(registration);
    await ledger.post(stopped(cluster, '2026-03-22T10:00:00.000Z', n % 2 === 0 ? 'manual' : 'unreachable'));
    if (n % 3 === 0) await ledger.post(resumed(cluster, '2026-03-23T10:00:00.000Z', 'manual'));
    const { body } = await ledger.post(deleted(cluster, '2026-04-01T10:00:00.000Z'));
    if (n % 4 === 0) await ledger.post(voided(cluster, '2026-04-02T10:00:00.000Z', body.eventId));
    await ledger.post(registration);
    await ledger.post(registered(cluster, '2026-03-25T00:00:00.000Z', 'somebody-else'));
    ledger.pass(60_000);
    if (n === 5) await ledger.fetch('/v1/periods/2026-03/close', { method: 'POST' });
  }
  await ledger.post(event('cluster.deletion-requested', 'orphan', '2026-04-02T10:00:00.000Z'));
  await validate(ledger);
}

/** Runs in which clusters come and go, one of them cut off, and alerts that are acknowledged. */
async function validate(ledger: TestLedger): Promise<void> {
  for (let n = 20; n < 24; n++) await ledger.post(registered(`c${n}`, '2026-04-01T00:00:00.000Z'));
  const validator = new TestValidator(ledger);
  const settings = { unreachableAfter: 1, unreachableFor: '0m', stopAfter: '5m', outageRatio: '1' };
  const bad = { c20: REFUSED, c21: NO_CREDENTIAL };
  for (const [i, seen] of [{}, bad, bad, bad, { c22: REFUSED }, {}].entries()) {
    if (i === 4) await ledger.post(deleted('c23', '2026-04-15T12:00:00.000Z'));
    await validator.run(seen, { settings: i === 3 ? { ...settings, mode: 'observe' } : settings });
    ledger.pass(300_000);
  }
  const acknowledge = (id: string) => ledger.fetch(`/v1/alerts/${id}/acknowledge`, { method: 'POST' });
  expect((await acknowledge('orphan-facts:orphan')).body.state).toBe('acknowledged');
  expect((await acknowledge('alive-after-delete:c23')).body.state).toBe('resolved');
  await ledger.fetch('/v1/validator/decisions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ proceedForHours: 1 }),
  });
  await validator.run(bad, { upTo: 'judged' });
}

async function caughtUp(ledger: TestLedger): Promise<LedgerModel> {
  const head = await ledger.head();
  await until(() => ledger.rooms.projections.model.position === head);
  return ledger.rooms.projections.model;
}

describe.each(stores)('the projections on $name', ({ connection }) => {
  test('are equal byte for byte after following, after a rebuild, and after a restart from a snapshot at any position', async () => {
    const ledger = await ledgerForTest({ store: connection });
    await play(ledger);
    const followed = encodeModel(await caughtUp(ledger));
    await ledger.rooms.projections.rebuild();
    expect(encodeModel(ledger.rooms.projections.model).equals(followed)).toBe(true);

    const events = await readLog(ledger.rooms.store);
    for (let i = 0; i < 20; i++) {
      const cut = randomInt(events.length);
      const model = new LedgerModel();
      for (const event of events.slice(0, cut)) model.apply(event);
      const restored = decodeModel(encodeModel(model));
      for (const event of events.slice(cut)) restored.apply(event);
      expect(encodeModel(restored).equals(followed), `cut at ${cut}`).toBe(true);
    }
  });

  test('start from their snapshot, or from the log if the snapshot is stale, torn, or of another ledger', async () => {
    const ledger = await ledgerForTest({ store: connection });
    await play(ledger);
    const followed = encodeModel(await caughtUp(ledger));
    await ledger.close();
    const whole = await readFile(ledger.snapshotFile);
    expect(encodeModel(decodeModel(whole)).equals(followed)).toBe(true);

    const other = new LedgerModel();
    const foreign = {
      id: '00000000-0000-5000-8000-000000000001',
      stream: 'elsewhere',
      revision: 0,
      position: 1,
    };
    other.apply({ ...foreign, type: 'Other', data: {}, metadata: {}, recordedAt: 1 });
    for (const bytes of [
      whole,
      whole.subarray(0, whole.length / 2),
      Buffer.alloc(0),
      Buffer.from(whole.map((byte, i) => (i === whole.length - 9 ? byte ^ 1 : byte))),
      encodeModel(other),
    ]) {
      await writeFile(ledger.snapshotFile, bytes);
      await ledger.open();
      expect(encodeModel(await caughtUp(ledger)).equals(followed)).toBe(true);
      await ledger.close();
    }
    await ledger.open();
  });
});
