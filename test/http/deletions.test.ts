import { describe, expect, test } from 'vitest';
import { deletionState, deletionsOf } from '../../src/domain/cluster-deletion.ts';
import { deleted, event, registered } from '../support/cloud-events.ts';
import { createKey, sendAs } from '../support/keys.ts';
import { ledgerForTest, NOON, type TestLedger } from '../support/ledger.ts';
import { REFUSED, TestValidator } from '../support/validator.ts';

const MINUTE_MS = 60_000;

async function ledgerWithCluster(environment: Record<string, string> = {}): Promise<TestLedger> {
  const ledger = await ledgerForTest({ environment });
  await ledger.record(registered('c1', '2026-04-10T00:00:00.000Z', 'acme', { name: 'production' }));
  return ledger;
}

const post = (ledger: TestLedger, path: string, body: unknown = {}) =>
  sendAs(ledger, undefined, 'POST', `/v1/clusters/c1/deletions${path}`, body);

/** Requests a deletion, and returns the functions that go on with it. */
async function requested(ledger: TestLedger) {
  const { status, body } = await post(ledger, '');
  expect(status).toBe(201);
  const { deletionId, confirmationToken } = body;
  const confirm = (fields: object = {}) =>
    post(ledger, `/${deletionId}/confirm`, { name: 'production', confirmationToken, ...fields });
  const cancel = () => post(ledger, `/${deletionId}/cancel`);
  const get = async () => (await ledger.get(`/v1/clusters/c1/deletions/${deletionId}`)).body;
  return { ...body, confirm, cancel, get };
}

const typesOf = async (ledger: TestLedger) =>
  (await ledger.get('/v1/clusters/c1/events')).body.items.map(({ type }: { type: string }) =>
    type.replace(/^io\.clusterledger\.|\.v1$/g, ''),
  );

describe('a deletion', () => {
  test('shows what it would do, and records only that it was requested', async () => {
    const ledger = await ledgerWithCluster();
    const { confirm: _, cancel: __, get: ___, ...answer } = await requested(ledger);
    expect(answer).toEqual({
      deletionId: expect.stringMatching(/^del-[0-9a-f]{40}$/),
      clusterId: 'c1',
      state: 'requested',
      requested: { at: NOON, by: 'loopback' },
      expiresAt: '2026-04-15T12:10:00.000Z',
      verifiedGone: false,
      preview: {
        name: 'production',
        account: 'acme',
        billedSince: '2026-04-10T00:00:00.000Z',
        thisPeriod: { period: '2026-04', clusterSeconds: '475200.000' },
        effectOfDeleting:
          'Billing ends once the cluster is deleted. The time until then stays on the bill: 475200.000 cluster seconds of 2026-04 so far.',
      },
      confirmationToken: expect.stringMatching(/^[\w-]{32}$/),
    });
    expect(await typesOf(ledger)).toEqual(['cluster.registered', 'cluster.deletion-requested']);
  });

  test('goes from the request to the end of billing, as the application reports it', async () => {
    const ledger = await ledgerWithCluster();
    const deletion = await requested(ledger);
    const confirmed = await deletion.confirm();
    expect([confirmed.status, confirmed.body.state]).toEqual([202, 'confirmed']);
    const { deletionId } = deletion;
    ledger.pass(MINUTE_MS);
    const now = () => new Date(ledger.now).toISOString();
    await ledger.record(event('cluster.deletion-confirmed', 'c1', now(), { deletionId }));
    expect((await deletion.get()).state).toBe('deprovisioning');
    ledger.pass(MINUTE_MS);
    await ledger.record(
      event('cluster.deletion-failed', 'c1', now(), { deletionId, reason: 'a volume is attached' }),
    );
    expect(await deletion.get()).toMatchObject({
      state: 'failed',
      failed: { reason: 'a volume is attached' },
    });
    ledger.pass(MINUTE_MS);
    await ledger.record(event('cluster.deletion-confirmed', 'c1', now(), { deletionId }));
    expect((await deletion.get()).state).toBe('deprovisioning');
    await ledger.record(deleted('c1', '2026-04-15T12:03:00.000Z'));
    expect(await deletion.get()).toMatchObject({
      state: 'billing-stopped',
      deleted: { effectiveAt: '2026-04-15T12:03:00.000Z' },
    });
    const list = await ledger.get('/v1/clusters/c1/deletions');
    expect(list.body.items).toEqual([await deletion.get()]);
    const after = await post(ledger, '');
    expect([after.status, after.body.type]).toEqual([409, 'urn:cluster-ledger:problem:cluster-deleted']);
  });

  test('is verified by the validator: the cluster no longer answers', async () => {
    const ledger = await ledgerWithCluster();
    const deletion = await requested(ledger);
    await deletion.confirm();
    await ledger.record(deleted('c1', NOON));
    const validator = new TestValidator(ledger);
    const settings = { unreachableAfter: 1, unreachableFor: '0m', mode: 'observe', policies: [] } as const;
    ledger.pass(MINUTE_MS);
    await validator.run({ c1: REFUSED }, { settings });
    expect(await deletion.get()).toMatchObject({ state: 'verified-gone', verifiedGone: true });
  });

  test('needs the name typed exactly, the right token, and ten minutes at most', async () => {
    const ledger = await ledgerWithCluster();
    const deletion = await requested(ledger);
    for (const name of ['Production', 'production ', 'c1']) {
      const { status, body } = await deletion.confirm({ name });
      expect([status, body.errors?.[0]?.pointer], name).toEqual([400, '/name']);
    }
    const other = await requested(ledger);
    for (const confirmationToken of ['', 'x'.repeat(32), other.confirmationToken]) {
      const { status, body } = await deletion.confirm({ confirmationToken });
      expect([status, body.type]).toEqual([409, 'urn:cluster-ledger:problem:deletion-token-invalid']);
    }
    ledger.pass(10 * MINUTE_MS + 1);
    const late = await deletion.confirm();
    expect([late.status, late.body.detail]).toEqual([
      409,
      expect.stringContaining('expired at 2026-04-15T12:10'),
    ]);
    expect(await typesOf(ledger)).not.toContain('cluster.deletion-confirmed');
  });

  test('is confirmed once, however many requests arrive at the same time', async () => {
    const ledger = await ledgerWithCluster();
    const deletion = await requested(ledger);
    const answers = await Promise.all(Array.from({ length: 5 }, () => deletion.confirm()));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409]);
    expect((await deletion.confirm()).body.type).toBe('urn:cluster-ledger:problem:deletion-token-invalid');
    expect(
      (await typesOf(ledger)).filter((type: string) => type === 'cluster.deletion-confirmed'),
    ).toHaveLength(1);
    const again = await post(ledger, '');
    expect([again.status, again.body.type]).toEqual([409, 'urn:cluster-ledger:problem:deletion-in-progress']);
  });

  test('is canceled before or after its confirmation, and then cannot be confirmed', async () => {
    const ledger = await ledgerWithCluster();
    const first = await requested(ledger);
    expect((await first.cancel()).body.state).toBe('cancelled');
    expect((await first.cancel()).status).toBe(200);
    expect((await first.confirm()).status).toBe(409);
    const second = await requested(ledger);
    const page = await ledger.get('/v1/clusters/c1/deletions?limit=1');
    expect(page.body.items[0].deletionId).toBe(second.deletionId);
    const next = await ledger.get(`/v1/clusters/c1/deletions?limit=1&cursor=${page.body.next}`);
    expect(next.body).toMatchObject({ items: [{ deletionId: first.deletionId, state: 'cancelled' }] });
    expect(next.body).not.toHaveProperty('next');
    await second.confirm();
    expect((await second.cancel()).body.state).toBe('cancelled');
    const third = await requested(ledger);
    await third.confirm();
    await ledger.record(deleted('c1', NOON));
    const late = await third.cancel();
    expect([late.status, late.body.type]).toEqual([409, 'urn:cluster-ledger:problem:deletion-ended']);
  });

  test('is stuck after two hours, with the alert deletion-stuck until it ends', async () => {
    const ledger = await ledgerWithCluster();
    const deletion = await requested(ledger);
    await deletion.confirm();
    const alerts = async () => (await ledger.get('/v1/alerts?kind=deletion-stuck')).body.items;
    ledger.pass(120 * MINUTE_MS - 1);
    expect([(await deletion.get()).state, await alerts()]).toEqual(['confirmed', []]);
    ledger.pass(1);
    expect((await deletion.get()).state).toBe('stuck');
    expect(await alerts()).toMatchObject([
      {
        id: 'deletion-stuck:c1',
        state: 'open',
        clusterId: 'c1',
        accountId: 'acme',
        raisedAt: '2026-04-15T14:00:00.000Z',
      },
    ]);
    await ledger.record(deleted('c1', '2026-04-15T14:00:00.000Z'));
    expect((await alerts())[0].state).toBe('resolved');
  });

  test('is the end of the bill at once where the ledger decides alone', async () => {
    const ledger = await ledgerWithCluster({ LEDGER_DELETION_MODE: 'ledger-only' });
    const deletion = await requested(ledger);
    const { body } = await deletion.confirm();
    expect(body).toMatchObject({ state: 'billing-stopped', deleted: { effectiveAt: NOON } });
    expect(await typesOf(ledger)).toEqual([
      'cluster.registered',
      'cluster.deletion-requested',
      'cluster.deletion-confirmed',
      'cluster.deleted',
      'billing.stopped',
    ]);
  });

  test('is for the customer of the cluster, and not for another one', async () => {
    const ledger = await ledgerWithCluster();
    const { key: by } = await createKey(ledger, undefined, { role: 'operator' });
    const acme = await createKey(ledger, by, { role: 'customer', accountId: 'acme' });
    const globex = await createKey(ledger, by, { role: 'customer', accountId: 'globex' });
    const auditor = await createKey(ledger, by, { role: 'auditor' });
    const path = '/v1/clusters/c1/deletions';
    expect((await sendAs(ledger, globex.key, 'POST', path, {})).status).toBe(404);
    expect((await sendAs(ledger, auditor.key, 'POST', path, {})).status).toBe(403);
    const { status, body } = await sendAs(ledger, acme.key, 'POST', path, {});
    expect([status, body.requested.by]).toEqual([201, acme.id]);
    expect((await sendAs(ledger, globex.key, 'GET', `${path}/${body.deletionId}`)).status).toBe(404);
    expect((await sendAs(ledger, auditor.key, 'GET', `${path}/${body.deletionId}`)).status).toBe(200);
  });
});

test('a deletion that the application posts as events is followed too, and a void of its end cancels it', () => {
  const at = Date.parse(NOON);
  const step = (eventId: string, fact: object) =>
    ({
      eventId,
      recordedAt: at,
      actor: 'pro',
      fact: { clusterId: 'c1', effectiveAt: at, ...fact },
    }) as Parameters<typeof deletionsOf>[0][number];
  const facts = [
    step('e1', { type: 'ClusterDeletionRequested', deletionId: 'd1' }),
    step('e2', { type: 'ClusterDeletionConfirmed', deletionId: 'd1' }),
    step('e3', { type: 'ClusterDeleted' }),
  ];
  const stateOf = (list: typeof facts, isGone = false) =>
    deletionsOf(list).map((d) => deletionState(d, at, isGone));
  expect(stateOf(facts)).toEqual(['billing-stopped']);
  expect(stateOf(facts, true)).toEqual(['verified-gone']);
  const kept = [...facts, step('e4', { type: 'FactVoided', voids: 'e3', reason: 'it still runs' })];
  expect(stateOf(kept)).toEqual(['cancelled']);
  expect(deletionsOf(kept)[0]?.cancelled).toMatchObject({ by: 'pro', reason: 'it still runs' });
  expect(stateOf([...kept, step('e5', { type: 'ClusterDeleted' })])).toEqual(['billing-stopped']);
  expect(deletionsOf([...kept, step('e5', { type: 'ClusterDeleted' })])[0]).not.toHaveProperty('cancelled');
  const again = [...kept, step('e5', { type: 'ClusterDeletionRequested', deletionId: 'd2' })];
  expect(stateOf([...again, step('e6', { type: 'ClusterDeleted' })])).toEqual([
    'cancelled',
    'billing-stopped',
  ]);
});
