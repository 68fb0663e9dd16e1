import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { deleted, registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { until } from '../support/until.ts';

const CLUSTERS = 20_000;
const BATCH = 1_000;
const USAGE = '/v1/accounts/acme/usage?period=2026-03';

/** A ledger with so many facts that its log is checked after it answers. */
async function ledgerWithLongLog(): Promise<TestLedger> {
  const ledger = await ledgerForTest();
  for (let from = 0; from < CLUSTERS; from += BATCH) {
    const facts = Array.from({ length: BATCH }, (_, i) =>
      registered(`c${from + i}`, '2026-03-30T00:00:00.000Z', 'acme'),
    );
    expect((await ledger.postBatch(facts)).status).toBe(200);
  }
  return ledger;
}

test('a ledger that starts on a long log answers reads, takes facts, and says until when its log is being checked', async () => {
  const ledger = await ledgerWithLongLog();
  const before = (await ledger.get(USAGE)).body;
  const events = await ledger.head();
  await ledger.reopen();
  const details = new Set<string>();
  const isChecked = async () => {
    const { status, body } = await ledger.get('/readyz');
    details.add(`${status} ${body.checks.store.detail}`);
    return body.checks.store.detail === 'reachable';
  };
  const [usage, posted] = await Promise.all([
    ledger.get(USAGE),
    ledger.post(deleted('c7', '2026-04-01T00:00:00.000Z')),
    until(isChecked),
  ]);
  expect(usage.body.usage).toEqual(before.usage);
  expect(posted).toMatchObject({ status: 201, body: { outcome: 'appended', revision: 1 } });
  const checking = `200 reachable; the order of its ${events} events is being checked, and writes wait until then`;
  expect([checking, '200 reachable']).toEqual(expect.arrayContaining([...details]));
  await ledger.reopen();
  expect((await ledger.get('/v1/clusters/c7')).body).toMatchObject({ status: 'deleted' });
});

test('a ledger that finds its long log damaged after the start asks to be stopped, and writes nothing', async () => {
  const ledger = await ledgerWithLongLog();
  await ledger.close();
  const db = new DatabaseSync(ledger.storeFile);
  db.exec('UPDATE log SET revision = 5 WHERE position = 9000');
  const count = () => db.prepare('SELECT count(*) AS events FROM log').get();
  const before = count();
  await ledger.open();
  const posted = await ledger.post(deleted('c7', '2026-04-01T00:00:00.000Z'));
  expect(posted.status).toBe(503);
  expect(String(ledger.failure)).toMatch(
    /the log is damaged: event 9000 \(cluster-c\d+ 5\) does not follow event 8999/,
  );
  expect((await ledger.get('/readyz')).status).toBe(503);
  expect(count()).toEqual(before);
  db.close();
});
