import { describe, expect, test } from 'vitest';
import { inStructuredMode, registered, stopped } from '../support/cloud-events.ts';
import { bearer, createKey } from '../support/keys.ts';
import { ledgerForTest, NOON } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

describe('the overview', () => {
  test('has the clusters by state and type, the month so far, and each of the last days', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(
      registered('a', APRIL, 'acme', { clusterType: 'workload' }),
      registered('b', '2026-04-15T00:00:00.000Z', 'globex', { clusterType: 'workload' }),
      registered('c', APRIL, 'globex', { clusterType: 'edge' }),
      stopped('c', '2026-04-02T00:00:00Z', 'manual'),
      stopped('nobody', APRIL),
    );
    // Is rejected, which raises an alert.
    const message = inStructuredMode(registered('a', APRIL, 'globex'));
    expect((await ledger.fetch('/v1/events', { method: 'POST', ...message })).status).toBe(409);
    const { status, body } = await ledger.get('/v1/overview');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      at: NOON,
      clusters: { billed: 2, stopped: 1, pending: 0, free: 0, deleted: 0, orphan: 1, voided: 0 },
      billedByType: [{ clusterType: 'workload', billed: 2 }],
      month: {
        period: '2026-04',
        usage: { billableClusters: 3, clusterSeconds: `${(14.5 + 0.5 + 1) * 86_400}.000` },
      },
      alerts: { critical: 0, warning: 1, info: 0 },
      validator: { lastRunAt: null, breakerOpen: false, running: false },
      periods: { lastClosed: null, due: [], begun: null },
      lag: { events: 0 },
    });
    expect(body.days).toHaveLength(31);
    expect(body.days.at(-1)).toMatchObject({ date: '2026-04-15', usage: { billableClusters: 2 } });
    expect(body.days.at(-15)).toMatchObject({ date: '2026-04-01', usage: { billableClusters: 2 } });
    expect(body.days.at(-1).byType.map(({ clusterType }: { clusterType: string }) => clusterType)).toEqual([
      'workload',
    ]);
  });

  test('names the last closed period and those that can be closed', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('a', '2026-01-10T00:00:00.000Z'));
    await ledger.fetch('/v1/periods/2026-01/close', { method: 'POST' });
    const { periods } = (await ledger.get('/v1/overview')).body;
    expect(periods).toEqual({
      lastClosed: { period: '2026-01', closedAt: NOON },
      due: ['2026-02', '2026-03'],
      begun: null,
    });
  });

  test('has for a customer only what belongs to its account, and nothing of the platform', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('a', APRIL), registered('b', APRIL, 'globex'), stopped('nobody', APRIL));
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const { key } = await createKey(ledger, operator.key, { role: 'customer', accountId: 'acme' });
    const { body } = await ledger.get('/v1/overview', bearer(key));
    expect(body.clusters).toMatchObject({ billed: 1, orphan: 0 });
    expect(body.month.usage.billableClusters).toBe(1);
    expect(body.alerts).toEqual({ critical: 0, warning: 0, info: 0 });
    for (const name of ['validator', 'periods', 'lag']) expect(body).not.toHaveProperty(name);
  });
});
