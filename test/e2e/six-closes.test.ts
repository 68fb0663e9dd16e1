import { expect, onTestFinished, test } from 'vitest';
import { verifyEvidence } from '../../src/audit/verify/verify-evidence.ts';
import { verifyStore } from '../../src/audit/verify/verify-store.ts';
import { event, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { evidenceOf, publishedKeys } from '../support/evidence.ts';
import { openLedger, type TestLedger } from '../support/ledger.ts';
import { stores } from '../support/stores.ts';

const PERIODS = ['2025-10', '2025-11', '2025-12', '2026-01', '2026-02', '2026-03'];
const ACCOUNTS = ['acme', 'globex', 'initech'];

const changed = (cluster: string, time: string, data: Readonly<Record<string, unknown>>) =>
  event('cluster.changed', cluster, `${time}T00:00:00Z`, data);
const milliseconds = (seconds: string) => BigInt(seconds.replace('.', ''));

async function post(ledger: TestLedger, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await ledger.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
}

/** The facts that become known before each of the six closings, many of them late. */
async function recordAndClose(ledger: TestLedger): Promise<void> {
  const [, wrong] = await ledger.record(
    registered('c1', '2021-05-03T00:00:00Z', 'acme', { clusterType: 'workload' }),
    registered('c2', '2021-06-01T00:00:00Z', 'globex'),
    registered('c3', '2022-01-01T00:00:00Z', 'acme', { billable: false }),
  );
  await post(ledger, '/v1/billing/beginning', { period: PERIODS[0], reason: 'billed elsewhere' });
  const before: (() => Promise<unknown>)[] = [
    () => ledger.record(stopped('c2', '2025-10-10T00:00:00Z', 'missing')),
    () => ledger.record(changed('c1', '2025-10-20', { accountId: 'initech' })),
    () =>
      ledger.record(
        resumed('c2', '2025-10-12T00:00:00Z', 'missing'),
        changed('c3', '2025-11-10', { billable: true }),
      ),
    () => ledger.record(changed('c1', '2025-11-05', { accountId: 'acme', clusterType: 'vcluster' })),
    async () => {
      await ledger.record(voided('c2', '2026-03-01T00:00:00Z', wrong?.eventId as string));
      await ledger.record(registered('c2', '2025-12-01T00:00:00Z', 'initech', { clusterType: 'vcluster' }));
    },
    () =>
      ledger.record(
        registered('c4', '2020-01-01T00:00:00Z', 'globex'),
        changed('c4', '2026-01-15', { accountId: 'acme' }),
      ),
  ];
  for (const [i, period] of PERIODS.entries()) {
    await before[i]?.();
    await post(ledger, `/v1/periods/${period}/close`, {});
  }
}

test.each(stores)(
  'six closings of a platform that begins in the middle of its life conserve every second, and are proved, on $name',
  async ({ connection }) => {
    const ledger = await openLedger({ store: connection });
    onTestFinished(ledger.discard);
    await recordAndClose(ledger);
    const keys = await publishedKeys(ledger);
    const { watermark } = (await ledger.get('/v1/periods/2026-03/statements')).body.items[0];

    for (const accountId of ACCOUNTS) {
      let stated = 0n;
      let used = 0n;
      for (const period of PERIODS) {
        const statement = await ledger.get(`/v1/periods/${period}/statements/${accountId}`);
        if (statement.status === 200) stated += milliseconds(statement.body.total.clusterSeconds);
        const usage = await ledger.get(`/v1/accounts/${accountId}/usage?period=${period}&asOf=${watermark}`);
        expect(usage.status, usage.text).toBe(200);
        used += milliseconds(usage.body.usage.clusterSeconds);
        const evidence = await evidenceOf(ledger, accountId, period);
        expect(verifyEvidence(evidence, { keys }), `${accountId} ${period}`).toMatchObject({ ok: true });
      }
      expect(stated, accountId).toBe(used);
    }
    expect(await verifyStore(ledger.rooms.store, { keys })).toMatchObject({
      ok: true,
      summary: { closings: 6, statementsChecked: true },
    });
  },
);
