import { describe, expect, test } from 'vitest';
import { deleted, event, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { ALIVE, NO_CREDENTIAL, REFUSED, TestValidator } from '../support/validator.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const problem = (code: string) => `urn:cluster-ledger:problem:${code}`;

const acknowledge = (ledger: TestLedger, id: string, body: object = {}) =>
  ledger.fetch(`/v1/alerts/${encodeURIComponent(id)}/acknowledge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const one = async (ledger: TestLedger, id: string) =>
  (await ledger.get(`/v1/alerts/${encodeURIComponent(id)}`)).body;
async function ids(ledger: TestLedger, query = ''): Promise<string[]> {
  const { body } = await ledger.get(`/v1/alerts${query}`);
  return body.items.map(({ id }: { id: string }) => id);
}

/** A ledger with some clusters, of which `c1` is judged by short thresholds. */
async function watched(count = 3): Promise<{ ledger: TestLedger; validator: TestValidator }> {
  const ledger = await ledgerForTest();
  for (let n = 1; n <= count; n++) await ledger.record(registered(`c${n}`, '2026-04-10T00:00:00.000Z'));
  return { ledger, validator: new TestValidator(ledger) };
}
const BAD = { c1: REFUSED };
const SHORT = { settings: { unreachableAfter: 1, unreachableFor: '0m', stopAfter: '10m', version: 'v1' } };

describe('alerts of the validator', () => {
  test('are raised once, last while the cluster is unreachable and its billing stopped, and end when it answers', async () => {
    const { ledger, validator } = await watched();
    await validator.run({}, SHORT);
    ledger.pass(5 * MINUTE);
    await validator.runs(5, BAD, SHORT);
    const raised = await one(ledger, 'cluster-unreachable:c1');
    expect(raised).toEqual({
      id: 'cluster-unreachable:c1',
      kind: 'cluster-unreachable',
      severity: 'warning',
      state: 'open',
      subject: 'c1',
      clusterId: 'c1',
      accountId: 'acme',
      raisedAt: '2026-04-15T12:05:00.000Z',
      updatedAt: '2026-04-15T12:05:00.000Z',
      happened: 'cluster c1 has not answered since 2026-04-15T12:05:00.000Z: refused',
      bill: expect.stringContaining('the cluster is billed until'),
      next: expect.stringContaining('Ask its owner'),
      atStake: { since: '2026-04-15T12:05:00.000Z', clusterSeconds: '600.000' },
      data: { code: 'refused', since: '2026-04-15T12:05:00.000Z', policy: 'default@v1' },
    });
    await validator.runs(20, BAD, SHORT);
    expect(await ids(ledger, '?state=open')).toEqual(['billing-stopped-unreachable:c1']);
    const replaced = await one(ledger, 'cluster-unreachable:c1');
    expect(replaced).toMatchObject({ state: 'resolved', raisedAt: raised.raisedAt });
    expect(replaced.atStake).toBeUndefined();
    expect((await one(ledger, 'billing-stopped-unreachable:c1')).happened).toContain(
      'from 2026-04-15T12:00:00.000Z',
    );

    await validator.run({}, SHORT);
    expect(await ids(ledger, '?state=open')).toEqual([]);
    const ended = await one(ledger, 'billing-stopped-unreachable:c1');
    expect(ended).toMatchObject({ state: 'resolved', resolvedAt: '2026-04-15T12:40:00.000Z' });
  });

  test('end when the cluster is deleted, or the fact voided', async () => {
    const { ledger, validator } = await watched();
    await validator.run({}, SHORT);
    ledger.pass(5 * MINUTE);
    await validator.runs(15, BAD, SHORT);
    const { body } = await ledger.get('/v1/clusters/c1/events');
    const stop = body.items.find(
      ({ type }: { type: string }) => type === 'io.clusterledger.billing.stopped.v1',
    );
    await ledger.record(voided('c1', '2026-04-15T12:30:00.000Z', stop.ledgereventid));
    expect(await ids(ledger, '?state=open')).toEqual(['cluster-unreachable:c1']);
    await ledger.record(deleted('c1', '2026-04-15T12:00:00.000Z'));
    expect(await ids(ledger, '?state=open')).toEqual([]);
  });

  test('name the stop of a cluster that its platform lost, and end when a person stops its billing', async () => {
    const { ledger } = await watched();
    await ledger.record(stopped('c1', '2026-04-14T00:00:00.000Z', 'missing'));
    expect(await one(ledger, 'billing-stopped-missing:c1')).toMatchObject({
      state: 'open',
      happened: expect.stringContaining('from 2026-04-14T00:00:00.000Z: its platform no longer lists it'),
      bill: expect.stringContaining('until the platform lists it again or it answers'),
    });
    await ledger.record(stopped('c1', '2026-04-14T00:00:00.000Z'));
    expect(await ids(ledger, '?state=open')).toEqual([]);
  });

  test('report unverifiable clusters, and one outage of the network of the ledger, for as long as they last', async () => {
    const { ledger, validator } = await watched();
    await validator.run({ c1: NO_CREDENTIAL });
    expect(await one(ledger, 'unverifiable:c1')).toMatchObject({
      state: 'open',
      clusterId: 'c1',
      accountId: 'acme',
      data: { code: 'no-credential' },
    });
    ledger.pass(5 * MINUTE);
    await validator.runs(10, { c1: REFUSED, c2: REFUSED, c3: REFUSED });
    expect(await ids(ledger, '?state=open')).toEqual(['mass-unreachable:1of1']);
    expect(await one(ledger, 'mass-unreachable:1of1')).toMatchObject({
      severity: 'critical',
      raisedAt: '2026-04-15T12:05:00.000Z',
      happened: 'none of the 3 clusters that were asked answered',
    });
    await validator.run();
    expect(await ids(ledger, '?state=resolved')).toEqual(['mass-unreachable:1of1', 'unverifiable:c1']);
  });

  test('end when a deleted cluster that answers is acknowledged, and are not raised again while it answers', async () => {
    const { ledger, validator } = await watched();
    await validator.run();
    await ledger.record(deleted('c1', '2026-04-15T12:00:00.001Z'));
    ledger.pass(5 * MINUTE);
    await validator.runs(5);
    expect(await ids(ledger, '?state=open')).toEqual(['alive-after-delete:c1']);
    const { body } = await acknowledge(ledger, 'alive-after-delete:c1', { note: 'being torn down' });
    expect(body).toMatchObject({
      state: 'resolved',
      acknowledged: { by: 'loopback', note: 'being torn down', at: '2026-04-15T12:15:00.000Z' },
    });
    await validator.run({ c1: { ...ALIVE, code: 'degraded' } });
    ledger.pass(5 * MINUTE);
    await validator.runs(5);
    expect(await ids(ledger, '?state=open')).toEqual([]);
    await validator.runs(15, BAD);
    expect((await ledger.get('/v1/clusters/c1')).body).toMatchObject({
      lastSeen: '2026-04-15T12:25:00.000Z',
      lastVerdict: { state: 'unreachable', code: 'refused', since: '2026-04-15T12:30:00.000Z' },
      verifiedGone: true,
    });
    await validator.run();
    expect(await ids(ledger, '?state=open')).toEqual(['alive-after-delete:c1']);
  });

  test('report a stale validator from three intervals without a completed run until the next completed run', async () => {
    const { ledger, validator } = await watched();
    expect(await ids(ledger)).toEqual([]);
    await validator.run();
    ledger.pass(15 * MINUTE - 1);
    await validator.run({}, { upTo: 'claimed' });
    expect(await ids(ledger)).toEqual([]);
    ledger.pass(1);
    expect(await one(ledger, 'validator-stale:1of1')).toMatchObject({
      state: 'open',
      raisedAt: '2026-04-15T12:15:00.000Z',
    });
    ledger.pass(HOUR);
    await validator.run();
    expect(await one(ledger, 'validator-stale:1of1')).toMatchObject({
      state: 'resolved',
      resolvedAt: '2026-04-15T13:15:00.000Z',
    });
    ledger.pass(15 * MINUTE);
    expect(await ids(ledger, '?state=open')).toEqual(['validator-stale:1of1']);
  });

  test('include the amount at stake if the inventory raised them', async () => {
    const { ledger, validator } = await watched();
    const data = { name: 'lonely' };
    await validator.run(
      {},
      { conditions: [{ kind: 'running-but-unregistered', subject: 'm1.x1.lonely.1776254400', data }] },
    );
    expect(await one(ledger, 'running-but-unregistered:m1.x1.lonely.1776254400')).toMatchObject({
      bill: 'The cluster runs and is not billed.',
      data,
    });
  });
});

describe('alerts of facts', () => {
  test('report facts that have waited 15 minutes for a registration, until it arrives', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(event('cluster.deletion-requested', 'lost', '2026-04-15T11:00:00.000Z'));
    await ledger.record(event('cluster.deletion-requested', 'found', '2026-04-15T11:00:00.000Z'));
    ledger.pass(15 * MINUTE - 1);
    await ledger.record(registered('found', '2026-04-15T10:00:00.000Z'));
    expect(await ids(ledger)).toEqual([]);
    ledger.pass(1);
    expect(await ids(ledger)).toEqual(['orphan-facts:lost']);
    const [registration] = await ledger.record(registered('lost', '2026-04-15T10:00:00.000Z'));
    expect(await one(ledger, 'orphan-facts:lost')).toMatchObject({
      state: 'resolved',
      raisedAt: '2026-04-15T12:15:00.000Z',
    });
    await ledger.record(voided('lost', '2026-04-15T12:00:00.000Z', registration?.eventId as string));
    ledger.pass(HOUR);
    expect(await ids(ledger, '?state=open')).toEqual(['orphan-facts:lost']);
  });

  test('report no cluster whose facts are all voided, and its status says so', async () => {
    const ledger = await ledgerForTest();
    const [deletion] = await ledger.record(deleted('mistake', '2026-04-10T00:00:00.000Z'));
    const [other] = await ledger.record(stopped('mistake', '2026-04-10T00:00:00.000Z'));
    ledger.pass(HOUR);
    const statusOf = async () => (await ledger.get('/v1/clusters/mistake')).body.status;
    await ledger.record(voided('mistake', '2026-04-15T12:00:00.000Z', String(deletion?.eventId)));
    expect([await ids(ledger, '?state=open'), await statusOf()]).toEqual([
      ['orphan-facts:mistake'],
      'orphan',
    ]);
    await ledger.record(voided('mistake', '2026-04-15T12:00:00.000Z', String(other?.eventId)));
    expect([await ids(ledger, '?state=open'), await statusOf()]).toEqual([[], 'voided']);
    expect((await ledger.get('/v1/clusters?status=orphan')).body.items).toEqual([]);
    await ledger.reopen();
    expect([await ids(ledger, '?state=open'), await statusOf()]).toEqual([[], 'voided']);
  });

  test('report a rejected event until it is retried or acknowledged', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', '2026-04-01T00:00:00.000Z'));
    const [deletion] = await ledger.record(deleted('c1', '2026-04-10T00:00:00.000Z'));
    await ledger.post(registered('c1', '2026-04-12T00:00:00.000Z'));
    await ledger.post(registered('c1', '2026-04-01T00:00:00.000Z', 'globex'));
    const { body } = await ledger.get('/v1/rejected-events');
    const [conflict, late] = body.items.map(({ id }: { id: string }) => id);
    expect((await ids(ledger)).sort()).toEqual(
      [`event-rejected:${conflict}`, `event-rejected:${late}`].sort(),
    );
    expect((await one(ledger, `event-rejected:${late}`)).happened).toMatch(
      /^event e\d+ of .* was refused: cluster-deleted; loopback posted it$/,
    );

    await ledger.record(voided('c1', '2026-04-12T00:00:00.000Z', deletion?.eventId as string));
    const retried = await ledger.fetch(`/v1/rejected-events/${late}/retry`, { method: 'POST' });
    expect(retried.status).toBe(201);
    expect((await one(ledger, `event-rejected:${late}`)).state).toBe('resolved');
    expect((await acknowledge(ledger, `event-rejected:${conflict}`)).body.state).toBe('resolved');
    expect(await ids(ledger, '?state=open')).toEqual([]);
  });

  test('say what of a late fact is on a statement and what is on none, if it changes usage from before and after the beginning', async () => {
    const ledger = await ledgerForTest();
    const jsonOf = (body: object) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await ledger.record(registered('c1', '2026-01-10T00:00:00.000Z'));
    await ledger.fetch('/v1/billing/beginning', jsonOf({ period: '2026-02', reason: 'billed elsewhere' }));
    expect((await ledger.fetch('/v1/periods/2026-02/close', jsonOf({}))).status).toBe(200);
    await ledger.record(registered('late', '2026-01-20T00:00:00.000Z', 'globex'));
    const adjustment =
      'The statement for 2026-03 has an adjustment, unless the changes cancel each other out. ' +
      'Usage from before billing began is on no statement.';
    expect((await one(ledger, 'late-facts:globex')).bill).toBe(adjustment);
    await ledger.record(deleted('late', '2026-01-25T00:00:00.000Z'));
    expect((await one(ledger, 'late-facts:globex')).bill).toBe(adjustment);
    expect((await ledger.get('/v1/adjustments')).body.items).toEqual([]);
  });

  test('name the account with a late fact in a closed period, until the next closing', async () => {
    const ledger = await ledgerForTest();
    const close = (period: string) => ledger.fetch(`/v1/periods/${period}/close`, { method: 'POST' });
    await ledger.record(
      registered('c1', '2026-02-10T00:00:00.000Z'),
      registered('c2', '2026-02-10T00:00:00.000Z', 'globex'),
    );
    expect((await close('2026-02')).status).toBe(200);
    const [deletion] = await ledger.record(deleted('c2', '2026-03-01T00:00:00.000Z'));
    await ledger.record(voided('c2', '2026-03-02T00:00:00.000Z', deletion?.eventId as string));
    await ledger.record(resumed('c1', '2026-02-20T00:00:00.000Z'));
    expect(await ids(ledger)).toEqual([]);
    await ledger.record(deleted('c1', '2026-02-20T00:00:00.000Z'));
    expect(await one(ledger, 'late-facts:acme')).toMatchObject({
      state: 'open',
      accountId: 'acme',
      happened: '1 fact changed the usage of account acme in closed periods, from 2026-02 on',
    });
    expect((await close('2026-03')).status).toBe(200);
    expect(await ids(ledger, '?state=open')).toEqual([]);
    expect(await ids(ledger, '?state=resolved&kind=late-facts')).toEqual(['late-facts:acme']);
  });
});

describe('the alerts API', () => {
  test('keeps an acknowledged alert, silent, through a rebuild and a restart', async () => {
    const { ledger, validator } = await watched();
    await validator.run({ c1: NO_CREDENTIAL, c2: NO_CREDENTIAL });
    const { body, status } = await acknowledge(ledger, 'unverifiable:c1', { note: 'asked the team' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'acknowledged', acknowledged: { note: 'asked the team' } });
    const head = await ledger.head();
    expect((await acknowledge(ledger, 'unverifiable:c1', { note: 'again' })).body).toEqual(body);
    expect(await ledger.head()).toBe(head);
    expect(await ids(ledger, '?state=open')).toEqual(['unverifiable:c2']);
    const metrics = (await ledger.get('/metrics')).text;
    expect(metrics).toContain('ledger_alerts{kind="unverifiable",severity="warning"} 1');
    expect(metrics).toContain('ledger_alerts{kind="log-tampered",severity="critical"} 0');
    await ledger.rooms.projections.rebuild();
    expect((await acknowledge(ledger, 'unverifiable:c1')).body).toEqual(body);
    await ledger.reopen();
    expect((await acknowledge(ledger, 'unverifiable:c1')).body).toEqual(body);
    ledger.pass(5 * MINUTE);
    await new TestValidator(ledger).run({ c2: NO_CREDENTIAL });
    expect((await one(ledger, 'unverifiable:c1')).state).toBe('resolved');
  });

  test('finds alerts by kind and severity, page by page, and answers 404 for an unknown id', async () => {
    const { ledger, validator } = await watched(5);
    await validator.run(Object.fromEntries(['c1', 'c2', 'c3', 'c4'].map((id) => [id, NO_CREDENTIAL])));
    const all = await ids(ledger, '?kind=unverifiable&severity=warning');
    expect(all).toHaveLength(4);
    const first = await ledger.get('/v1/alerts?limit=3');
    expect(await ids(ledger, `?limit=3&cursor=${first.body.next}`)).toEqual(all.slice(3));
    expect(await ids(ledger, '?severity=critical')).toEqual([]);
    expect((await ledger.get('/v1/alerts?kind=nonsense')).body.errors).toMatchObject([
      { pointer: '/query/kind' },
    ]);
    expect((await ledger.get('/v1/alerts/unverifiable:nobody')).body.type).toBe(problem('not-found'));
    expect((await acknowledge(ledger, 'unverifiable:nobody')).status).toBe(404);
    expect((await acknowledge(ledger, 'unverifiable:c1', { by: 'me' })).body.errors).toMatchObject([
      { pointer: '/by' },
    ]);
  });
});
