import { describe, expect, test } from 'vitest';
import {
  deleted,
  event,
  type PostedEvent,
  registered,
  resumed,
  stopped,
  voided,
} from '../support/cloud-events.ts';
import { ledgerForTest, NOON, type TestLedger } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

async function refuses(
  ledger: TestLedger,
  posted: PostedEvent,
  status: number,
  code: string,
): Promise<string> {
  const { body, status: answered, text } = await ledger.post(posted);
  expect(answered, text).toBe(status);
  expect(body.type).toBe(`urn:cluster-ledger:problem:${code}`);
  return body.errors[0].pointer;
}

async function rejectedEvents(ledger: TestLedger) {
  const { body } = await ledger.get('/v1/rejected-events');
  return body.items as { id: string; clusterId: string; problem: { type: string }; event: PostedEvent }[];
}

describe('a fact in the future', () => {
  test('is accepted up to five minutes ahead of the clock', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', '2026-04-15T12:05:00.000Z'));
  });

  test('is rejected more than five minutes ahead, and accepted when its time has come', async () => {
    const ledger = await ledgerForTest();
    const posted = registered('c1', '2026-04-15T12:05:00.001Z');
    expect(await refuses(ledger, posted, 422, 'effective-in-future')).toBe('/time');
    ledger.pass(1);
    await ledger.record(posted);
  });
});

describe('a fact in the distant past', () => {
  test('is accepted from an operator', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', '2020-01-01T00:00:00Z'));
  });
});

describe('a registration', () => {
  test('conflicts if the cluster is registered to another account', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const conflict = registered('c1', APRIL, 'globex');
    expect(await refuses(ledger, conflict, 409, 'registration-conflict')).toBe('/data/accountId');
  });

  test('is rejected if it is effective at or after the deletion of the cluster', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(deleted('c1', '2026-04-10T00:00:00Z'));
    expect(await refuses(ledger, registered('c1', '2026-04-10T00:00:00Z'), 409, 'cluster-deleted')).toBe(
      '/time',
    );
    await ledger.record(registered('c1', '2026-04-09T23:59:59.999Z'));
  });

  test('is accepted for another account after the wrong registration is voided', async () => {
    const ledger = await ledgerForTest();
    const [wrong] = await ledger.record(registered('c1', APRIL, 'globex'));
    await ledger.record(voided('c1', APRIL, wrong?.eventId as string), registered('c1', APRIL, 'acme'));
    const { body } = await ledger.get('/v1/clusters/c1');
    expect(body.accountId).toBe('acme');
  });
});

describe('a void', () => {
  test('resumes billing when it voids a deletion, and appends a BillingResumed notice', async () => {
    const ledger = await ledgerForTest();
    const [, deletion] = await ledger.record(registered('c1', APRIL), deleted('c1', '2026-04-10T00:00:00Z'));
    await ledger.record(voided('c1', '2026-04-11T00:00:00Z', deletion?.eventId as string));
    const { body: cluster } = await ledger.get('/v1/clusters/c1');
    expect(cluster).toMatchObject({ status: 'billed', billedSince: APRIL, deletedAt: null });
    const { body: feed } = await ledger.get('/v1/feed?after=4');
    expect(feed.events).toMatchObject([
      {
        type: 'io.clusterledger.billing.resumed.v1',
        time: '2026-04-10T00:00:00.000Z',
        data: { cause: 'deleted' },
      },
    ]);
  });

  test('is rejected if the fact belongs to another cluster', async () => {
    const ledger = await ledgerForTest();
    const [other] = await ledger.record(registered('c1', APRIL));
    const posted = voided('c2', APRIL, other?.eventId as string);
    expect(await refuses(ledger, posted, 422, 'void-target-unknown')).toBe('/data/voids');
  });

  test('is rejected if the fact is a void: the voided fact must be posted again', async () => {
    const ledger = await ledgerForTest();
    const [stop] = await ledger.record(stopped('c1', APRIL));
    const [undone] = await ledger.record(voided('c1', APRIL, stop?.eventId as string));
    const posted = voided('c1', APRIL, undone?.eventId as string);
    expect(await refuses(ledger, posted, 422, 'void-target-not-voidable')).toBe('/data/voids');
  });

  test('is rejected if the fact is a notice of the ledger', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(deleted('c1', APRIL));
    const { body } = await ledger.get('/v1/clusters/c1/events');
    const notice = body.items[1].ledgereventid;
    await refuses(ledger, voided('c1', APRIL, notice), 422, 'void-target-not-voidable');
  });
});

describe('stops and resumptions', () => {
  test('are rejected with the cause that only the ledger sets', async () => {
    const ledger = await ledgerForTest();
    for (const posted of [stopped('c1', APRIL, 'deleted'), resumed('c1', APRIL, 'deleted')]) {
      const answer = await ledger.post(posted);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/data/cause' }] } });
    }
  });
});

describe('an event that is rejected with 409 or 422', () => {
  test('has a problem that names the header if it was posted in binary mode', async () => {
    const ledger = await ledgerForTest();
    const { status, body } = await ledger.postBinary(registered('c1', '2026-05-01T00:00:00Z'));
    expect([status, body.errors[0].pointer]).toEqual([422, '/headers/ce-time']);
  });

  test('is kept as it was posted, with its problem, latest first', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const conflict = registered('c1', APRIL, 'globex', { region: 'eu' });
    const early = event('cluster.deleted', 'c2', '2026-05-01T00:00:00Z', { reason: 'ü' }, { traceid: 'x' });
    await ledger.post(conflict);
    ledger.pass(1_000);
    await ledger.postBatch([early]);
    expect(await rejectedEvents(ledger)).toMatchObject([
      {
        clusterId: 'c2',
        recordedAt: '2026-04-15T12:00:01.000Z',
        problem: { type: 'urn:cluster-ledger:problem:effective-in-future', status: 422 },
        event: early,
      },
      {
        clusterId: 'c1',
        recordedAt: NOON,
        problem: { type: 'urn:cluster-ledger:problem:registration-conflict', status: 409 },
        event: conflict,
      },
    ]);
  });

  test('is kept once, even if it is posted repeatedly or after a restart', async () => {
    const ledger = await ledgerForTest();
    const early = deleted('c1', '2026-05-01T00:00:00Z');
    for (let i = 0; i < 3; i++) await ledger.post(early);
    await ledger.postBatch([early, early]);
    await ledger.reopen();
    await ledger.post(early);
    expect(await rejectedEvents(ledger)).toHaveLength(1);
    expect(await ledger.head()).toBe(1);
  });

  test('creates no cluster, no account and no fact', async () => {
    const ledger = await ledgerForTest();
    await ledger.post(registered('c1', '2026-05-01T00:00:00Z'));
    expect((await ledger.get('/v1/clusters/c1')).status).toBe(404);
    expect((await ledger.get('/v1/clusters')).body.items).toEqual([]);
    expect((await ledger.get('/v1/accounts')).body.items).toEqual([]);
    expect((await ledger.get('/v1/feed')).body).toEqual({ events: [], next: '1' });
  });

  test('is listed page by page', async () => {
    const ledger = await ledgerForTest();
    const early = Array.from({ length: 5 }, (_, i) => deleted(`c${i}`, '2026-05-01T00:00:00Z'));
    for (const posted of early) await ledger.post(posted);
    const clusters: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const { body } = await ledger.get(`/v1/rejected-events?limit=2${cursor}`);
      clusters.push(...body.items.map(({ clusterId }: { clusterId: string }) => clusterId));
      next = body.next;
    }
    expect(clusters).toEqual(['c4', 'c3', 'c2', 'c1', 'c0']);
  });

  test('is kept whole even at the maximum size of an event', async () => {
    const ledger = await ledgerForTest();
    const evidence = { log: 'ü'.repeat(29_000) };
    const large = event('cluster.unreachable', 'c1', '2026-05-01T00:00:00Z', { evidence });
    await refuses(ledger, large, 422, 'effective-in-future');
    expect((await rejectedEvents(ledger))[0]?.event).toEqual(large);
  });
});
