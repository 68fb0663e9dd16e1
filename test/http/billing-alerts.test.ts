import { describe, expect, test } from 'vitest';
import { deleted, event, registered, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

async function openAlerts(ledger: TestLedger, kind: string) {
  const { body } = await ledger.get(`/v1/alerts?state=open&kind=${kind}`);
  return body.items as { id: string; happened: string; next: string }[];
}

const describeAccount = (ledger: TestLedger, limits: object) =>
  ledger.fetch('/v1/accounts/acme', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ limits }),
  });

describe('the alert limit-reached', () => {
  test('is open while as many clusters of a type are billed as the plan of the account allows', async () => {
    const ledger = await ledgerForTest();
    await describeAccount(ledger, { vcluster: 1, '*': 5 });
    await ledger.record(
      event('cluster.registered', 'c1', APRIL, { accountId: 'acme', name: 'one', clusterType: 'vcluster' }),
      registered('c2', APRIL),
    );
    expect(await openAlerts(ledger, 'limit-reached')).toMatchObject([
      { happened: '1 cluster of type vcluster is billed and the limit of the plan is 1' },
    ]);
    await ledger.record(deleted('c1', '2026-04-10T00:00:00.000Z'));
    expect(await openAlerts(ledger, 'limit-reached')).toEqual([]);
  });

  test('ends when the limit is raised', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    await describeAccount(ledger, { '*': 1 });
    expect(await openAlerts(ledger, 'limit-reached')).toHaveLength(1);
    await describeAccount(ledger, { '*': 2 });
    expect(await openAlerts(ledger, 'limit-reached')).toEqual([]);
  });

  test('opens again if the void of a deletion brings a cluster back', async () => {
    const ledger = await ledgerForTest();
    await describeAccount(ledger, { '*': 1 });
    await ledger.record(registered('c1', APRIL));
    const [deletion] = await ledger.record(deleted('c1', '2026-04-10T00:00:00.000Z'));
    expect(await openAlerts(ledger, 'limit-reached')).toEqual([]);
    await ledger.record(voided('c1', APRIL, deletion?.eventId as string));
    expect(await openAlerts(ledger, 'limit-reached')).toHaveLength(1);
  });
});

/** Acknowledges an alert. @returns its state then. */
async function acknowledge(ledger: TestLedger, id: string): Promise<string> {
  const path = `/v1/alerts/${encodeURIComponent(id)}/acknowledge`;
  return (await ledger.fetch(path, { method: 'POST' })).body.state;
}

test('the alert id-differs-by-case names two cluster ids that differ only in upper and lower case, and ends when it is acknowledged', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('prod-eu', APRIL), registered('Prod-EU', APRIL));
  expect(await openAlerts(ledger, 'id-differs-by-case')).toMatchObject([
    { happened: 'cluster ids Prod-EU and prod-eu differ only in upper and lower case' },
  ]);
  expect(await acknowledge(ledger, 'id-differs-by-case:Prod-EU')).toBe('resolved');
});

describe('the alert event-id-on-two-clusters', () => {
  test('is raised if a producer posts one event id for two clusters, stays after a restart, and ends when it is acknowledged', async () => {
    const ledger = await ledgerForTest();
    const data = { accountId: 'acme', name: 'one' };
    await ledger.record(event('cluster.registered', 'wrong', APRIL, data, { id: 'e-shared' }));
    expect(await openAlerts(ledger, 'event-id-on-two-clusters')).toEqual([]);
    const again = await ledger.post(event('cluster.registered', 'right', APRIL, data, { id: 'e-shared' }));
    expect(again.body.outcome).toBe('appended');
    const raised = await openAlerts(ledger, 'event-id-on-two-clusters');
    expect(raised).toMatchObject([
      { happened: expect.stringContaining('was posted for cluster wrong and again for cluster right') },
    ]);
    await ledger.reopen();
    expect(await openAlerts(ledger, 'event-id-on-two-clusters')).toEqual(raised);
    expect(await acknowledge(ledger, String(raised[0]?.id))).toBe('resolved');
  });

  test('is not raised if the same event is posted again or another producer uses the id', async () => {
    const ledger = await ledgerForTest();
    const posted = registered('c1', APRIL);
    await ledger.record(posted);
    expect((await ledger.post(posted)).body.outcome).toBe('duplicate');
    const source = 'https://other.example/api';
    const { data } = registered('c2', APRIL);
    await ledger.record(event('cluster.registered', 'c2', APRIL, data, { id: posted.id, source }));
    expect(await openAlerts(ledger, 'event-id-on-two-clusters')).toEqual([]);
  });
});

test('the alert count-jump holds while an account has many more or fewer billed clusters than a day before, and is sent once', async () => {
  const ledger = await ledgerForTest();
  const named = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`);
  await ledger.record(...named(10).map((id) => registered(id, APRIL)));
  expect(await openAlerts(ledger, 'count-jump')).toEqual([]);
  const at = (ms: number) => new Date(ms).toISOString();
  await ledger.record(...named(5).map((id) => deleted(id, at(ledger.now))));
  // Half of them is not more than half.
  expect(await openAlerts(ledger, 'count-jump')).toEqual([]);
  await ledger.record(deleted('c5', at(ledger.now)));
  expect(await openAlerts(ledger, 'count-jump')).toMatchObject([
    {
      accountId: 'acme',
      happened: 'account acme is billed for 4 clusters; a day earlier there were 10',
    },
  ]);
  const acknowledgement = await ledger.fetch('/v1/alerts/count-jump:acme/acknowledge', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ note: 'they moved out' }),
  });
  expect(acknowledgement.status, acknowledgement.text).toBe(200);
  expect(await openAlerts(ledger, 'count-jump')).toEqual([]);
  ledger.pass(25 * 3_600_000);
  // The acknowledged jump is over; another one is another alert.
  await ledger.record(...named(4).map((_, i) => deleted(`c${6 + i}`, at(ledger.now))));
  await ledger.record(...named(6).map((_, i) => registered(`new-${i}`, at(ledger.now))));
  expect(await openAlerts(ledger, 'count-jump')).toEqual([]);
  await ledger.record(registered('new-6', at(ledger.now)), registered('new-7', at(ledger.now)));
  await ledger.record(registered('new-8', at(ledger.now)));
  expect(await openAlerts(ledger, 'count-jump')).toMatchObject([
    { happened: 'account acme is billed for 9 clusters; a day earlier there were 4' },
  ]);
});
