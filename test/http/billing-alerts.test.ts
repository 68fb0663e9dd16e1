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
      { happened: '1 clusters of type vcluster are billed and the limit of the plan is 1' },
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

test('the alert id-differs-by-case names two cluster ids that differ only in upper and lower case', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('prod-eu', APRIL), registered('Prod-EU', APRIL));
  expect(await openAlerts(ledger, 'id-differs-by-case')).toMatchObject([
    { happened: 'cluster ids Prod-EU and prod-eu differ only in upper and lower case' },
  ]);
});

describe('the alert event-id-on-two-clusters', () => {
  test('is raised if a producer posts one event id for two clusters, and stays after a restart', async () => {
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
