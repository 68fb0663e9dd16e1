import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/eventstore/event-store.ts';
import { StatementDigests } from '../../src/ledger/statement-digests.ts';
import { decodeModel, encodeModel } from '../../src/projections/model/snapshot.ts';
import { type Drift, StatementCheck } from '../../src/projections/statement-check.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { patientStore } from '../support/patient-store.ts';
import { collect } from '../support/store-events.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';

/** Three accounts, whose January is closed and compared. */
async function closed(store?: string): Promise<TestLedger> {
  const ledger = await ledgerForTest(store === undefined ? {} : { store });
  for (const [i, account] of ['acme', 'globex', 'initech'].entries())
    await ledger.record(registered(`c${i}`, `2026-01-1${i}T00:00:00.000Z`, account));
  await ledger.fetch('/v1/periods/2026-01/close', { method: 'POST' });
  await compared(ledger);
  expect(ledger.rooms.projections.statements.drifts).toEqual([]);
  return ledger;
}

const compared = (ledger: TestLedger) => until(() => ledger.rooms.projections.statements.checked === 1);

/** Opens the ledger again after somebody has written into its file. */
async function afterHand(ledger: TestLedger, change: string): Promise<readonly Drift[]> {
  await ledger.close();
  const folder = join(ledger.snapshotFile, '..');
  await rm(ledger.snapshotFile, { force: true });
  const db = new DatabaseSync(join(folder, 'ledger.db'));
  db.exec(change);
  db.close();
  await ledger.open();
  await ledger.get('/v1/periods');
  await compared(ledger);
  return ledger.rooms.projections.statements.drifts;
}

describe('a statement drift', () => {
  test('names the first account that differs after a fact was altered in the file', async () => {
    const ledger = await closed();
    const drifts = await afterHand(
      ledger,
      `UPDATE log SET data = replace(data, '2026-01-1', '2026-01-2') WHERE stream IN ('cluster-c1', 'cluster-c2')`,
    );
    expect(drifts).toMatchObject([{ period: '2026-01', position: 4, accountId: 'globex' }]);
    const { detail } = (await ledger.get('/readyz')).body.checks.statements;
    expect(detail).toContain('; the first account that differs is globex, which has a different statement');
  });

  test.each([
    ['globex', 'umbra', 'globex', 'no longer has a statement'],
    ['globex', 'aperture', 'aperture', 'had no statement before'],
  ])(
    'names the first account that differs after a cluster of %s was given to %s',
    async (from, to, accountId, what) => {
      const ledger = await closed();
      const change = `UPDATE log SET data = replace(data, '"${from}"', '"${to}"')`;
      expect(await afterHand(ledger, change)).toMatchObject([
        { accountId, why: expect.stringMatching(new RegExp(`, which ${what}$`)) },
      ]);
    },
  );

  test('names no account if the closing was altered, or if no digests are stored', async () => {
    const ledger = await closed();
    const digest = `UPDATE log SET data = json_set(data, '$.statementsDigest', '${'0'.repeat(64)}')`;
    const [forged] = await afterHand(ledger, `${digest} WHERE stream = 'period-2026-01'`);
    expect(forged?.why).toMatch(/; no digests of single statements are stored$/);
    expect(forged).not.toHaveProperty('accountId');
  });

  test.each(stores)(
    'names the first account that differs if the fold has a mistake, on $name',
    async ({ connection }) => {
      const ledger = await closed(connection);
      const { store, projections } = ledger.rooms;
      const mistaken = decodeModel(encodeModel(projections.model));
      const usage = mistaken.usageWithPauses.bind(mistaken);
      mistaken.usageWithPauses = (account, ...rest) => usage(account === 2 ? 0 : account, ...rest);
      const drifts: Drift[] = [];
      const check = new StatementCheck({
        keeper: new StatementDigests(store),
        onDrift: (drift) => drifts.push(drift),
      });
      check.check(mistaken);
      await until(() => check.checked === 1);
      expect(drifts).toMatchObject([{ period: '2026-01', accountId: 'initech' }]);
    },
  );
});

describe.each(stores)('the digests of single statements, on $name,', ({ connection }) => {
  const period = '2026-01';
  const close = { period, statementsDigest: 'd', closedAt: 1_700_000_000_000 };
  const digests = new Map(
    Array.from({ length: 7_000 }, (_, i) => [`account-${String(i).padStart(6, '0')}`, 'x'.repeat(43)]),
  );
  const chunks = async (ledger: TestLedger) =>
    collect(ledger.rooms.store.readStream(`~statement-digests-${period}`));

  test('are stored in chunks only once, even by concurrent writers, and can be read', async () => {
    const ledger = await ledgerForTest({ store: connection });
    const store = patientStore(ledger.rooms.store);
    const keepers = Array.from({ length: 4 }, () => new StatementDigests(store));
    await Promise.all(keepers.map((keeper) => keeper.keep(close, digests)));
    await keepers[0]?.keep(close, digests);
    const kept = await chunks(ledger);
    expect(kept).toHaveLength(3);
    for (const { data } of kept) expect(JSON.stringify(data).length).toBeLessThan(256 * 1024);
    expect(await keepers[1]?.read(close)).toEqual(digests);
    expect(await keepers[1]?.read({ ...close, statementsDigest: 'e' })).toBeUndefined();
    expect(await keepers[1]?.read({ ...close, period: '2026-02' })).toBeUndefined();
    // They are state: the log knows nothing of them.
    expect(await store.head()).toBe(0);
  });

  test('are continued after an interruption, and are not used before they are complete', async () => {
    const ledger = await ledgerForTest({ store: connection });
    const { store } = ledger.rooms;
    let left = 1;
    const failing = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === 'append' && left-- === 0) throw new Error('cut off');
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await expect(new StatementDigests(failing).keep(close, digests)).rejects.toThrow('cut off');
    const keeper = new StatementDigests(store);
    expect(await chunks(ledger)).toHaveLength(1);
    expect(await keeper.read(close)).toBeUndefined();
    await keeper.keep(close, digests);
    expect(await keeper.read(close)).toEqual(digests);
    const other = await ledgerForTest({ store: connection });
    await new StatementDigests(other.rooms.store).keep(close, digests);
    // The time of the server is that of each append.
    const written = (events: readonly RecordedEvent[]) => events.map(({ storedAt: _, ...event }) => event);
    expect(written(await chunks(ledger))).toEqual(written(await chunks(other)));
  });

  test('are stored for a period without statements', async () => {
    const ledger = await ledgerForTest({ store: connection });
    const keeper = new StatementDigests(ledger.rooms.store);
    await keeper.keep(close, new Map());
    expect(await keeper.read(close)).toEqual(new Map());
  });
});

test('digests that could not be stored at a closing are stored after the next start', async () => {
  const ledger = await closed();
  await ledger.close();
  const db = new DatabaseSync(join(ledger.snapshotFile, '..', 'ledger.db'));
  db.exec('DELETE FROM state');
  db.close();
  await ledger.open();
  await ledger.get('/v1/periods');
  await compared(ledger);
  const [close] = ledger.rooms.projections.model.closedPeriods.all;
  const kept = close === undefined ? undefined : await new StatementDigests(ledger.rooms.store).read(close);
  expect([...(kept ?? new Map()).keys()]).toEqual(['acme', 'globex', 'initech']);
});
