import { describe, expect, test } from 'vitest';
import { deleted, event, registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

describe('the feed', () => {
  test('returns every fact once and in order to a consumer that stores its position', async () => {
    const ledger = await ledgerForTest();
    const posted = Array.from({ length: 25 }, (_, i) => registered(`c${i % 7}-${i}`, APRIL));
    await ledger.record(...posted);
    const seen: { id: string; ledgerposition: string }[] = [];
    for (let after = '0'; ; ) {
      const { body } = await ledger.get(`/v1/feed?after=${after}&limit=10`);
      if (body.events.length === 0) break;
      seen.push(...body.events);
      after = body.next;
    }
    expect(seen.map(({ id }) => id)).toEqual(posted.map(({ id }) => id));
    expect(seen.map(({ ledgerposition }) => Number(ledgerposition))).toEqual(posted.map((_, i) => i + 1));
  });

  test('returns an event as its producer posted it, with its place in the log', async () => {
    const ledger = await ledgerForTest();
    const posted = event('cluster.reachable', 'c1', APRIL, { evidence: { ok: true } }, { traceid: 't' });
    const [recorded] = await ledger.record(posted);
    const { body } = await ledger.get('/v1/feed');
    expect(body).toEqual({
      next: '1',
      events: [
        {
          ...posted,
          datacontenttype: 'application/json',
          ledgerposition: '1',
          ledgerepoch: 1,
          ledgerrevision: 0,
          ledgereventid: recorded?.eventId,
          recordedtime: recorded?.recordedAt,
        },
      ],
    });
  });

  test('has the beginning of statements, closings and profiles of accounts, and returns only the types that are asked for', async () => {
    const ledger = await ledgerForTest();
    const headers = { 'content-type': 'application/json' };
    const command = (path: string, method: string, body: object) =>
      ledger.fetch(path, { method, headers, body: JSON.stringify(body) });
    await ledger.record(registered('c1', '2021-04-01T00:00:00.000Z'));
    await command('/v1/billing/beginning', 'POST', { period: '2026-02', reason: 'billed elsewhere' });
    await command('/v1/accounts/acme', 'PUT', { name: 'Acme Inc.' });
    await command('/v1/periods/2026-02/close', 'POST', {});
    const { body } = await ledger.get('/v1/feed?after=1');
    expect(body.events).toMatchObject([
      { type: 'io.clusterledger.period.begun.v1', subject: '2026-02', data: { reason: 'billed elsewhere' } },
      { type: 'io.clusterledger.account.described.v1', subject: 'acme', data: { name: 'Acme Inc.' } },
      { type: 'io.clusterledger.period.closed.v1', subject: '2026-02', data: { accounts: 1, rules: 2 } },
    ]);
    const types = 'io.clusterledger.period.closed.v1,io.clusterledger.cluster.registered.v1';
    const chosen = (await ledger.get(`/v1/feed?types=${types}`)).body;
    expect(chosen.events.map(({ subject }: { subject: string }) => subject)).toEqual(['c1', '2026-02']);
    expect(chosen.next).toBe(body.next);
    const groups = 'io.clusterledger.period.*,io.clusterledger.cluster.registered.v1';
    const grouped = (await ledger.get(`/v1/feed?types=${groups}`)).body;
    const every = (await ledger.get('/v1/feed')).body.events;
    expect(grouped.events).toEqual(
      every.filter(({ type }: { type: string }) => /\.period\.|\.registered\./.test(type)),
    );
    expect(grouped.events.length).toBeGreaterThan(chosen.events.length);
    for (const unknown of ['io.clusterledger.*', '*', 'io.clusterledger.peri*', 'io.clusterledger.nothing.*'])
      expect((await ledger.get(`/v1/feed?types=${unknown}`)).status, unknown).toBe(400);
    const wrong = await ledger.get('/v1/feed?types=cluster.registered');
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, '/query/types/0']);
  });

  test('skips events that are not for consumers, such as rejected ones', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    await ledger.post(deleted('c1', '2026-05-01T00:00:00Z'));
    const { body } = await ledger.get('/v1/feed?after=1');
    expect(body).toEqual({ events: [], next: '2' });
    await ledger.record(registered('c2', APRIL));
    expect((await ledger.get('/v1/feed?after=1')).body).toMatchObject({
      events: [{ subject: 'c2' }],
      next: '3',
    });
  });

  test('answers 503 to a consumer that is ahead of the log, as after a restore', async () => {
    const ledger = await ledgerForTest();
    const { status, headers, body } = await ledger.get('/v1/feed?after=7');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body.type).toBe('urn:cluster-ledger:problem:position-not-reached');
  });

  test('returns an empty page at its end without waiting', async () => {
    const ledger = await ledgerForTest();
    expect((await ledger.get('/v1/feed')).body).toEqual({ events: [], next: '0' });
  });

  test('waits for the next fact if asked to', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const poll = ledger.get('/v1/feed?after=1&wait=30');
    // By the time that this is answered the poll has arrived: it was sent first.
    await ledger.get('/livez');
    await ledger.post(deleted('c9', '2026-05-01T00:00:00Z'));
    await ledger.record(registered('c2', APRIL));
    expect((await poll).body).toMatchObject({ events: [{ subject: 'c2', ledgerposition: '3' }], next: '3' });
  });

  test('answers a waiting consumer when its time is over', async () => {
    const ledger = await ledgerForTest();
    const begin = performance.now();
    expect((await ledger.get('/v1/feed?wait=1')).body).toEqual({ events: [], next: '0' });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
  });

  test('is never cached', async () => {
    const ledger = await ledgerForTest();
    expect((await ledger.get('/v1/feed')).headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['?after=-1', '/query/after'],
    ['?after=abc', '/query/after'],
    ['?wait=31', '/query/wait'],
    ['?wait=0.5', '/query/wait'],
    ['?limit=1001', '/query/limit'],
    ['?from=1', '/query/from'],
  ])('refuses %s, and names the parameter', async (query, pointer) => {
    const ledger = await ledgerForTest();
    const { status, body } = await ledger.get(`/v1/feed${query}`);
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });
});

describe('a read with minPosition', () => {
  test('waits until the projections have reached the position', async () => {
    const ledger = await ledgerForTest();
    const read = ledger.get('/v1/clusters/c1?minPosition=1');
    await ledger.record(registered('c1', APRIL));
    expect(await read).toMatchObject({ status: 200, body: { clusterId: 'c1' } });
  });

  test('answers 503 with Retry-After if the position is not reached within two seconds', async () => {
    const ledger = await ledgerForTest();
    const begin = performance.now();
    const { status, body, headers } = await ledger.get('/v1/usage?period=2026-04&minPosition=1');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(1_990);
    expect([status, body.type]).toEqual([503, 'urn:cluster-ledger:problem:position-not-reached']);
    expect(headers.get('retry-after')).toBe('1');
  });
});
