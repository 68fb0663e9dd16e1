import { event, registered, resumed, stopped, voided } from './cloud-events.ts';
import type { TestLedger } from './ledger.ts';

const changed = (cluster: string, time: string, data: object) =>
  event('cluster.changed', cluster, time, { ...data });

async function post(ledger: TestLedger, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await ledger.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
}

/**
 * Records three months of three accounts of a platform that begins in the middle of its life, with transfers, changes of type and
 * facts that are recorded late, some of them from before the beginning. The beginning has position 4.
 */
export async function recordBegunPlatform(ledger: TestLedger): Promise<void> {
  const recorded = await ledger.record(
    registered('old1', '2021-05-03T00:00:00Z', 'acme', { clusterType: 'workload' }),
    registered('old2', '2021-06-01T00:00:00Z', 'globex'),
    registered('free', '2022-01-01T00:00:00Z', 'acme', { billable: false }),
  );
  await post(ledger, '/v1/billing/beginning', {
    period: '2026-01',
    reason: 'the former system has charged for it',
  });
  await ledger.record(stopped('old2', '2026-01-10T00:00:00Z', 'missing'));
  await post(ledger, '/v1/periods/2026-01/close', {});
  const [transfer] = await ledger.record(
    changed('old1', '2026-01-20T00:00:00Z', { accountId: 'initech' }),
    changed('old1', '2025-12-20T00:00:00Z', { clusterType: 'vcluster' }),
    changed('free', '2026-02-10T00:00:00Z', { billable: true }),
    resumed('old2', '2026-01-12T00:00:00Z', 'missing'),
  );
  await post(ledger, '/v1/periods/2026-02/close', {});
  await ledger.record(
    voided('old1', '2026-03-01T00:00:00Z', transfer?.eventId as string),
    changed('old1', '2026-01-25T00:00:00Z', { accountId: 'globex' }),
    voided('free', '2026-03-01T00:00:00Z', recorded[2]?.eventId as string),
    registered('free', '2026-01-05T00:00:00Z', 'acme', { clusterType: 'vcluster' }),
  );
  await post(ledger, '/v1/periods/2026-03/close', {});
  await ledger.record(changed('old2', '2026-04-02T00:00:00Z', { clusterType: 'vcluster' }));
}
