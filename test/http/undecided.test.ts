import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { NO_CREDENTIAL, REFUSED, TestValidator } from '../support/validator.ts';

const MINUTE = 60_000;
const GHOSTS = Array.from({ length: 20 }, (_, n) => `ghost-${n + 10}`);

/** An old platform on its first day: 100 registered clusters, of which 20 went long ago. */
async function firstDay(): Promise<TestLedger> {
  const ledger = await ledgerForTest();
  const running = Array.from({ length: 80 }, (_, n) => `c${n + 10}`);
  await ledger.record(
    ...[...running, ...GHOSTS].map((clusterId) => registered(clusterId, '2026-04-01T00:00:00.000Z')),
  );
  const validator = new TestValidator(ledger);
  const seen = Object.fromEntries(
    GHOSTS.map((clusterId, n) => [clusterId, n < 15 ? REFUSED : NO_CREDENTIAL]),
  );
  await validator.runs(15, seen, { settings: { mode: 'observe' } });
  return ledger;
}

const decide = (ledger: TestLedger, body: object) =>
  ledger.fetch('/v1/undecided/decisions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('the ghosts of an old platform are one list with evidence, and one decision ends the bills of many', async () => {
  const ledger = await firstDay();
  const { body } = await ledger.get('/v1/undecided?limit=100');
  expect(body.items.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual(GHOSTS);
  expect(body.items[0]).toEqual({
    clusterId: 'ghost-10',
    accountId: 'acme',
    name: 'ghost-10',
    registeredAt: '2026-04-01T00:00:00.000Z',
    why: ['never-verified'],
    code: 'refused',
    since: '2026-04-15T12:00:00.000Z',
    detail: 'connect ECONNREFUSED',
    clusterSeconds: '1254000.000',
    isLeft: false,
  });
  expect(body.items[19]).toMatchObject({ why: ['unverifiable'], code: 'no-credential' });

  const reason = 'deleted before the ledger began';
  const stopped = await decide(ledger, {
    decision: 'stop',
    clusterIds: [...GHOSTS.slice(0, 18), 'c10'],
    effectiveAt: 'registration',
    reason,
  });
  expect(stopped.status).toBe(200);
  const outcomes = Object.groupBy<string, { outcome: string }>(
    stopped.body.items,
    ({ outcome }: { outcome: string }) => outcome,
  );
  expect([outcomes['stopped']?.length, outcomes['refused']?.length]).toEqual([18, 1]);
  const billing = (await ledger.get('/v1/clusters/ghost-10/billing')).body;
  expect(billing.intervals).toEqual([]);
  expect((await ledger.get('/v1/clusters/ghost-10')).body).toMatchObject({
    status: 'stopped',
    stoppedBy: ['manual'],
  });

  const from = { decision: 'stop', clusterIds: ['ghost-28'], effectiveAt: '2026-04-10T00:00:00Z', reason };
  await decide(ledger, from);
  expect((await ledger.get('/v1/clusters/ghost-28/billing')).body.intervals).toMatchObject([
    { from: '2026-04-01T00:00:00.000Z', to: '2026-04-10T00:00:00.000Z' },
  ]);
  await decide(ledger, { decision: 'leave', clusterIds: ['ghost-29'], reason: 'behind a VPN' });
  ledger.pass(5 * MINUTE);
  const validator = new TestValidator(ledger);
  await validator.run({ 'ghost-28': REFUSED, 'ghost-29': NO_CREDENTIAL }, { settings: { mode: 'observe' } });
  const rest = (await ledger.get('/v1/undecided')).body.items;
  expect(rest).toMatchObject([{ clusterId: 'ghost-29', isLeft: true }]);
});

test('a stop needs the instant from which it applies', async () => {
  const ledger = await ledgerForTest();
  const { status, body } = await decide(ledger, { decision: 'stop', clusterIds: ['c1'], reason: 'gone' });
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ pointer: '/effectiveAt', detail: 'is required to stop billing' }]);
});
