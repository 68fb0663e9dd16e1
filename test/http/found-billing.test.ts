import { describe, expect, test } from 'vitest';
import { event, registered, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

/** Cases of other metering systems that charged customers wrongly. */

const day = (date: string) => `2026-${date}T00:00:00.000Z`;
const seconds = (days: number) => `${days * 86_400}.000`;

async function close(ledger: TestLedger, period: string) {
  const { status, text } = await ledger.fetch(`/v1/periods/${period}/close`, { method: 'POST' });
  if (status !== 200) throw new Error(text);
}

async function statementsOf(ledger: TestLedger, period: string) {
  const { body } = await ledger.get(`/v1/periods/${period}/statements`);
  return Object.fromEntries(body.items.map((item: { accountId: string }) => [item.accountId, item]));
}

const begin = (ledger: TestLedger, period: string) =>
  ledger.fetch('/v1/billing/beginning', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ period, reason: 'the former system has charged until then' }),
  });

test('usage from before the first closed month that becomes known later is an adjustment of the next statement', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', day('02-01')));
  await close(ledger, '2026-02');
  await ledger.record(registered('late', day('01-11'), 'globex'));
  await close(ledger, '2026-03');
  const { globex } = await statementsOf(ledger, '2026-03');
  expect(globex.adjustments).toMatchObject([
    { period: '2026-01', delta: { billableClusters: 1, clusterSeconds: seconds(21) } },
    { period: '2026-02', delta: { billableClusters: 1, clusterSeconds: seconds(28) } },
  ]);
  expect(globex.total).toMatchObject({ billableClusters: 3, clusterSeconds: seconds(21 + 28 + 31) });
});

describe('a fact of 1970', () => {
  test('is rejected, and does not decide with which month statements begin', async () => {
    const ledger = await ledgerForTest();
    const rejected = await ledger.post(registered('old', '1970-01-01T00:00:00.000Z'));
    expect([rejected.status, rejected.body.type]).toEqual([
      422,
      'urn:cluster-ledger:problem:effective-implausible',
    ]);
    await ledger.record(registered('c1', day('03-01')));
    expect((await ledger.get('/v1/periods')).body.items[0].period).toBe('2026-03');
  });

  test('does not decide with which month statements begin if it is voided or an orphan', async () => {
    const ledger = await ledgerForTest();
    const [wrong] = await ledger.record(registered('old', '2010-01-01T00:00:00.000Z'));
    await ledger.record(voided('old', day('04-01'), wrong?.eventId as string));
    await ledger.record(stopped('orphan', '2010-01-01T00:00:00.000Z'));
    await ledger.record(registered('c1', day('03-01')));
    expect((await ledger.get('/v1/periods')).body.items[0].period).toBe('2026-03');
    await close(ledger, '2026-03');
    expect(Object.keys(await statementsOf(ledger, '2026-03'))).toEqual(['acme']);
  });
});

test('a cluster that is free at first and paid later is billed from the change on', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(
    registered('c1', day('03-01'), 'acme', { billable: false }),
    event('cluster.changed', 'c1', day('03-21'), { billable: true }),
  );
  const { body } = await ledger.get('/v1/accounts/acme/usage?period=2026-03');
  expect(body.usage).toMatchObject({ billableClusters: 1, clusterSeconds: seconds(11) });
});

test('a transfer by a change and a transfer by a void and a new registration give both accounts the same bills', async () => {
  const bills = async (transfer: (ledger: TestLedger, registration: string) => Promise<void>) => {
    const ledger = await ledgerForTest();
    const [registration] = await ledger.record(registered('c1', day('02-01')));
    await close(ledger, '2026-02');
    await transfer(ledger, registration?.eventId as string);
    await close(ledger, '2026-03');
    const { acme, globex } = await statementsOf(ledger, '2026-03');
    return [acme.total, globex.total];
  };
  const byChange = await bills(async (ledger) => {
    await ledger.record(event('cluster.changed', 'c1', day('02-01'), { accountId: 'globex' }));
  });
  const byVoid = await bills(async (ledger, registration) => {
    await ledger.record(voided('c1', day('04-01'), registration), registered('c1', day('02-01'), 'globex'));
  });
  expect(byChange).toEqual(byVoid);
  expect(byChange).toMatchObject([
    { billableClusters: -1, clusterSeconds: `-${seconds(28)}` },
    { billableClusters: 2, clusterSeconds: seconds(28 + 31) },
  ]);
});

test('a platform with clusters of 2021 gets its first statement for the month it begins with, without adjustments from before', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', '2021-05-03T00:00:00.000Z'));
  expect((await begin(ledger, '2026-03')).status).toBe(200);
  expect((await ledger.get('/v1/periods')).body.items[0].period).toBe('2026-03');
  await close(ledger, '2026-03');
  await ledger.record(registered('late', '2021-06-01T00:00:00.000Z'));
  ledger.pass(30 * 86_400_000);
  await close(ledger, '2026-04');
  const { acme } = await statementsOf(ledger, '2026-04');
  expect(acme.adjustments).toMatchObject([{ period: '2026-03', delta: { clusterSeconds: seconds(31) } }]);
  expect(acme.adjustments).toHaveLength(1);
  const before = (await ledger.get('/v1/accounts/acme/usage?period=2022-01')).body;
  expect(before).toMatchObject({ statementsBegin: '2026-03', usage: { billableClusters: 2 } });
  const after = (await ledger.get('/v1/accounts/acme/usage?period=2026-03')).body;
  expect(after.statementsBegin).toBeUndefined();
});

test.each([
  ['Go', '2026-03-01T00:00:00.51486378Z', '2026-03-01T00:00:00.514Z'],
  ['Java', '2026-03-01T00:00:00.514863781Z', '2026-03-01T00:00:00.514Z'],
  ['.NET', '2026-03-01T00:00:00.5148637+00:00', '2026-03-01T00:00:00.514Z'],
  ['Python', '2026-03-01T00:00:00.514863+00:00', '2026-03-01T00:00:00.514Z'],
  ['a leap second', '2026-02-28T23:59:60Z', '2026-02-28T23:59:59.999Z'],
])('the time of an event as %s writes it is accepted and cut to the millisecond', async (_, time, cut) => {
  const ledger = await ledgerForTest();
  const posted = registered('c1', time);
  expect((await ledger.post(posted)).status).toBe(201);
  expect((await ledger.post(posted)).body.outcome).toBe('duplicate');
  expect((await ledger.get('/v1/clusters/c1')).body.registeredAt).toBe(cut);
});
