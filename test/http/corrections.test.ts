import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/eventstore/json.ts';
import { deleted, registered, voided } from '../support/cloud-events.ts';
import { type Answer, ledgerForTest, NOON, type TestLedger } from '../support/ledger.ts';

const MARCH = '2026-03-20T00:00:00.000Z';

function send(ledger: TestLedger, method: string, path: string, body: object, key?: string): Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    ...(key !== undefined && { 'idempotency-key': key }),
  };
  return ledger.fetch(path, { method, headers, body: JSON.stringify(body) });
}

async function intervals(ledger: TestLedger, cluster: string): Promise<[string, string | null][]> {
  const { body } = await ledger.get(`/v1/clusters/${cluster}/billing`);
  return body.intervals.map(({ from, to }: { from: string; to: string | null }) => [from, to]);
}

describe('registering a cluster by its URL', () => {
  const production = { accountId: 'acme', name: 'production' };

  test('records the cluster; the same body again is a duplicate, with a time or without', async () => {
    const ledger = await ledgerForTest();
    for (const [cluster, body] of [
      ['c1', { ...production, effectiveAt: MARCH }],
      ['c2', production],
    ] as const) {
      const first = await send(ledger, 'PUT', `/v1/clusters/${cluster}`, body);
      expect(first.status).toBe(201);
      ledger.pass(60_000);
      const again = await send(ledger, 'PUT', `/v1/clusters/${cluster}`, body);
      expect([again.status, again.body.eventId]).toEqual([200, first.body.eventId]);
    }
    expect(await intervals(ledger, 'c1')).toEqual([[MARCH, null]]);
    expect(await intervals(ledger, 'c2')).toEqual([['2026-04-15T12:01:00.000Z', null]]);
  });

  test('follows the rules of ingest', async () => {
    const ledger = await ledgerForTest();
    await send(ledger, 'PUT', '/v1/clusters/c1', production);
    expect(
      (await send(ledger, 'PUT', '/v1/clusters/c1', { ...production, accountId: 'globex' })).status,
    ).toBe(409);
    const ahead = { ...production, effectiveAt: '2027-01-01T00:00:00.000Z' };
    expect((await send(ledger, 'PUT', '/v1/clusters/c2', ahead)).status).toBe(422);
    expect((await ledger.get('/v1/rejected-events')).body.items).toHaveLength(2);
    const unknown = await send(ledger, 'PUT', '/v1/clusters/c3', { ...production, price: 1 });
    expect([unknown.status, unknown.body.errors]).toEqual([
      400,
      [{ pointer: '/price', detail: 'is not a known field' }],
    ]);
  });
});

describe('stopping and resuming the billing of a cluster', () => {
  test('uses the cause manual by default, and each cause stops billing independently', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', MARCH));
    const at = (day: number) => `2026-04-0${day}T00:00:00.000Z`;
    for (const [resource, body] of [
      ['billing-stops', { effectiveAt: at(1), reason: 'a courtesy' }],
      ['billing-stops', { effectiveAt: at(2), cause: 'unreachable' }],
      ['billing-resumptions', { effectiveAt: at(3) }],
      ['billing-resumptions', { effectiveAt: at(4), cause: 'unreachable' }],
    ] as const) {
      expect((await send(ledger, 'POST', `/v1/clusters/c1/${resource}`, body)).status).toBe(201);
    }
    expect(await intervals(ledger, 'c1')).toEqual([
      [MARCH, at(1)],
      [at(4), null],
    ]);
  });

  test('returns a duplicate for the same idempotency key at any time; other content under the key is rejected', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', MARCH));
    const stop = (body: object) => send(ledger, 'POST', '/v1/clusters/c1/billing-stops', body, 'ticket-1');
    expect((await stop({})).status).toBe(201);
    ledger.pass(60_000);
    await ledger.reopen();
    expect((await stop({})).status).toBe(200);
    expect((await stop({ cause: 'unreachable' })).status).toBe(409);
  });

  test('rejects the cause that only the ledger sets', async () => {
    const ledger = await ledgerForTest();
    const { status, body } = await send(ledger, 'POST', '/v1/clusters/c1/billing-stops', {
      cause: 'deleted',
    });
    expect([status, body.errors[0].pointer]).toEqual([400, '/cause']);
  });
});

describe('voiding a fact', () => {
  test('removes the fact from the bill, and needs a reason', async () => {
    const ledger = await ledgerForTest();
    const [, deletion] = await ledger.record(
      registered('c1', MARCH),
      deleted('c1', '2026-04-01T00:00:00.000Z'),
    );
    const path = `/v1/events/${deletion?.eventId}/void`;
    expect((await send(ledger, 'POST', path, {})).body.errors[0].pointer).toBe('/reason');
    const { status, body } = await send(ledger, 'POST', path, { reason: 'the wrong cluster' });
    expect(status).toBe(201);
    expect(await intervals(ledger, 'c1')).toEqual([[MARCH, null]]);
    const { body: feed } = await ledger.get(`/v1/feed?after=${body.position}`);
    expect(feed.events).toMatchObject([
      {
        type: 'io.clusterledger.billing.resumed.v1',
        time: '2026-04-01T00:00:00.000Z',
        data: { cause: 'deleted' },
      },
    ]);
  });

  test('says so if the fact is posted again, or voided a second time: neither changes the bill', async () => {
    const ledger = await ledgerForTest();
    const registration = registered('c1', MARCH);
    const [{ eventId } = {}] = await ledger.record(registration);
    const path = `/v1/events/${eventId}/void`;
    const { body: first } = await send(ledger, 'POST', path, { reason: 'the wrong cluster' });
    expect(first).not.toHaveProperty('noEffect');
    const again = await ledger.post(registration);
    const voidedBy = first.eventId;
    expect([again.status, again.body]).toMatchObject([
      200,
      {
        outcome: 'duplicate',
        noEffect: { why: 'voided', voidedBy, detail: expect.stringContaining('voids this fact') },
      },
    ]);
    const second = await send(ledger, 'POST', path, { reason: 'to be sure' });
    expect([second.status, second.body]).toMatchObject([
      201,
      {
        noEffect: {
          why: 'target-voided-before',
          voidedBy,
          detail: expect.stringContaining('changes nothing'),
        },
      },
    ]);
    expect(await intervals(ledger, 'c1')).toEqual([]);
  });

  test('answers 404 if the fact was never recorded', async () => {
    const ledger = await ledgerForTest();
    const path = '/v1/events/00000000-0000-5000-8000-000000000000/void';
    expect((await send(ledger, 'POST', path, { reason: 'a guess' })).status).toBe(404);
  });
});

describe('retrying a rejected event', () => {
  test('records the event after the cause of the rejection is fixed', async () => {
    const ledger = await ledgerForTest();
    const [wrong] = await ledger.record(registered('c1', MARCH, 'wrong'));
    expect((await ledger.post(registered('c1', MARCH, 'right'))).status).toBe(409);
    const [{ id }] = (await ledger.get('/v1/rejected-events')).body.items;
    const retry = () => ledger.fetch(`/v1/rejected-events/${id}/retry`, { method: 'POST' });
    expect((await retry()).status).toBe(409);
    await ledger.record(voided('c1', MARCH, wrong?.eventId ?? ''));
    expect((await retry()).status).toBe(201);
    expect((await retry()).status).toBe(200);
    expect((await ledger.get('/v1/clusters/c1')).body.accountId).toBe('right');
    expect((await ledger.get('/v1/rejected-events')).body.items).toHaveLength(1);
  });

  test('answers 404 for an event that was not rejected', async () => {
    const ledger = await ledgerForTest();
    const [recorded] = await ledger.record(registered('c1', MARCH));
    const path = `/v1/rejected-events/${recorded?.eventId}/retry`;
    expect((await ledger.fetch(path, { method: 'POST' })).status).toBe(404);
  });
});

describe('retrying an event that an earlier release kept as a stored fact', () => {
  const VALIDATOR = 'urn:cluster-ledger:validator';
  const keep = async (ledger: TestLedger, type: string, data: JsonObject) => {
    const event = { id: 'run/c1', source: VALIDATOR, type, data };
    const rejection = { code: 'event-id-reused', eventId: randomUUID() } as const;
    await ledger.rooms.ledger.keepRejected([
      { source: VALIDATOR, id: 'run/c1', clusterId: 'c1', event, rejection },
    ]);
    await ledger.rooms.projections.waitUntilCaughtUp(60_000);
    const [{ id }] = (await ledger.get('/v1/rejected-events')).body.items;
    return () => ledger.fetch(`/v1/rejected-events/${id}/retry`, { method: 'POST' });
  };

  test('records the fact', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', MARCH));
    const retry = await keep(ledger, 'BillingStopped', {
      clusterId: 'c1',
      effectiveAt: NOON,
      cause: 'unreachable',
    });
    expect((await retry()).status).toBe(201);
    expect((await ledger.get('/v1/clusters/c1')).body.status).toBe('stopped');
  });

  test.each<[string, string, JsonObject]>([
    ['of an unknown type', 'ClusterExploded', { clusterId: 'c1', effectiveAt: NOON }],
    ['without a cause', 'BillingStopped', { clusterId: 'c1', effectiveAt: NOON }],
  ])('answers which fields are invalid if the fact is %s', async (_, type, data) => {
    const ledger = await ledgerForTest();
    const retry = await keep(ledger, type, data);
    const { status, body } = await retry();
    expect([status, body.type]).toEqual([400, 'urn:cluster-ledger:problem:invalid-request']);
  });
});

describe('stopping or resuming billing with dryRun', () => {
  test('says what would change for each account and period, and writes nothing', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', MARCH));
    const before = await ledger.head();
    const body = { effectiveAt: '2026-04-14T12:00:00.000Z', dryRun: true };
    const answer = await send(ledger, 'POST', '/v1/clusters/c1/billing-stops', body);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      outcome: 'would-stop',
      clusterId: 'c1',
      effectiveAt: body.effectiveAt,
      billedBefore: true,
      billedAfter: false,
      accounts: [
        { accountId: 'acme', periods: [{ period: '2026-04', delta: { clusterSeconds: '-86400.000' } }] },
      ],
    });
    expect(await ledger.head()).toBe(before);
    expect(await intervals(ledger, 'c1')).toEqual([[MARCH, null]]);
  });

  test('says if another cause would still stop the cluster', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', MARCH));
    const stop = (cause: string) => send(ledger, 'POST', '/v1/clusters/c1/billing-stops', { cause });
    expect([(await stop('manual')).status, (await stop('unreachable')).status]).toEqual([201, 201]);
    const resume = (cause: string) =>
      send(ledger, 'POST', '/v1/clusters/c1/billing-resumptions', { cause, dryRun: true });
    expect((await resume('manual')).body).toMatchObject({ outcome: 'would-resume', billedAfter: false });
    expect((await send(ledger, 'POST', '/v1/clusters/none/billing-stops', { dryRun: true })).status).toBe(
      404,
    );
  });
});
