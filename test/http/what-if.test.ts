import { describe, expect, test } from 'vitest';
import { deleted, type PostedEvent, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type Recorded, type TestLedger } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { readLog } from '../support/store-events.ts';
import { stores } from '../support/stores.ts';

const day = (of: string) => `2026-${of}T00:00:00.000Z`;
const ask = (ledger: TestLedger, question: object, accountId = 'acme') =>
  ledger.fetch(`/v1/accounts/${accountId}/what-if`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ period: '2026-03', ...question }),
  });

/** Two clusters of acme in March, of which one was stopped by mistake, and one of globex. */
let recorded: Recorded[];
const ledger = sharedLedger(async (it) => {
  recorded = await it.record(
    registered('c1', day('03-01')),
    stopped('c1', day('03-11')),
    registered('c2', day('03-21')),
    registered('g1', day('03-01'), 'globex'),
  );
});
const idOf = (i: number) => recorded[i]?.eventId as string;

describe('a simulation of an account', () => {
  test('equals the usage after voiding a fact if it removes that fact', async () => {
    const { body, status } = await ask(ledger(), { remove: [idOf(1)] });
    expect(status).toBe(200);
    const { usage, byType } = (await ledger().get('/v1/accounts/acme/usage?period=2026-03')).body;
    const changed = {
      clusterSeconds: `${42 * 86_400}.000`,
      clustersAtEnd: 2,
      peakClusters: 2,
      averageClusters: '1.354839',
    };
    expect(body).toEqual({
      accountId: 'acme',
      period: '2026-03',
      window: { from: day('03-01'), to: day('04-01') },
      through: day('04-01'),
      asOf: null,
      position: '4',
      before: usage,
      after: { ...usage, ...changed },
      byType: { before: byType, after: [{ ...byType[0], ...changed }] },
      delta: { billableClusters: 0, clusterSeconds: `${21 * 86_400}.000` },
      clusters: [
        {
          clusterId: 'c1',
          before: [{ from: day('03-01'), to: day('03-11') }],
          after: [{ from: day('03-01'), to: day('04-01') }],
        },
      ],
    });
    const asVoided = await ask(ledger(), { add: [voided('c1', day('04-01'), idOf(1))] });
    expect(asVoided.body).toEqual(body);
  });

  test('adds facts of its own and of new clusters, also in the future', async () => {
    const add = [resumed('c1', day('03-12')), registered('new', day('03-31')), deleted('new', day('05-01'))];
    const { body } = await ask(ledger(), {
      add,
      period: undefined,
      from: day('03-01'),
      to: day('06-01'),
      through: day('06-01'),
    });
    expect(body.period).toBeUndefined();
    expect(body.delta).toEqual({ billableClusters: 1, clusterSeconds: `${(81 + 31) * 86_400}.000` });
    expect(body.clusters.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual(['c1', 'new']);
  });

  test('uses only the facts known at a position', async () => {
    const { body } = await ask(ledger(), { asOf: '1', add: [deleted('c1', day('03-02'))] });
    expect(body).toMatchObject({ asOf: '1', position: '1', before: { billableClusters: 1 } });
    expect(body.delta).toEqual({ billableClusters: 0, clusterSeconds: `-${30 * 86_400}.000` });
    const removed = await ask(ledger(), { asOf: '1', remove: [idOf(1)] });
    expect(removed.body.errors[0].pointer).toBe('/remove/0');
  });

  test('is unchanged by a duplicate event or an event of another account', async () => {
    const [first] = (await ledger().get('/v1/clusters/c1/events')).body.items;
    const { specversion, id, source, type, subject, time, data } = first;
    const again = { specversion, id, source, type, subject, time, data };
    for (const add of [[again], [stopped('g1', day('03-02'))], [stopped('nobody', day('03-02'))]]) {
      const { body } = await ask(ledger(), { add });
      expect(body).toMatchObject({ clusters: [], delta: { billableClusters: 0, clusterSeconds: '0.000' } });
    }
  });

  test('counts a voided fact again if its void is removed', async () => {
    const it = await ledgerForTest();
    const [first] = await it.record(registered('c1', day('03-01')));
    const [undone] = await it.record(voided('c1', day('03-01'), first?.eventId ?? ''));
    const { body } = await ask(it, { remove: [undone?.eventId] });
    expect(body.before.billableClusters).toBe(0);
    expect(body.after).toMatchObject({ billableClusters: 1, clusterSeconds: `${31 * 86_400}.000` });
  });
});

describe('a simulation is rejected, and the problem names the field, if', () => {
  const valid = () => stopped('c1', day('03-02'));
  const change = (more: object) => ({ ...valid(), ...more }) as PostedEvent;
  const unknown = '00000000-0000-5000-8000-000000000000';
  test.each<[what: string, question: () => object, pointer: string, code?: string]>([
    ['nothing is added or removed', () => ({}), '/add'],
    ['both are empty', () => ({ add: [], remove: [] }), '/add'],
    ['there is no window', () => ({ period: undefined, add: [valid()] }), '/period'],
    [
      'the window ends before it begins',
      () => ({ period: undefined, from: day('03-02'), to: day('03-01'), add: [valid()] }),
      '/to',
    ],
    ['the period is not text', () => ({ period: 3, add: [valid()] }), '/period'],
    ['asOf is a number', () => ({ asOf: 1, add: [valid()] }), '/asOf'],
    ['asOf is in the future', () => ({ asOf: '99', add: [valid()] }), '/asOf'],
    ['a field is not known', () => ({ add: [valid()], dryRun: true }), '/dryRun'],
    ['the added events are not a list', () => ({ add: valid() }), '/add'],
    ['too much is added', () => ({ add: Array.from({ length: 101 }, valid) }), '/add'],
    ['an added event has no time', () => ({ add: [valid(), change({ time: undefined })] }), '/add/1/time'],
    ['an added event is of no known type', () => ({ add: [change({ type: 'x' })] }), '/add/0/type'],
    [
      'data of an added event is wrong',
      () => ({ add: [change({ data: { cause: 'deleted' } })] }),
      '/add/0/data/cause',
    ],
    [
      'an added event poses as the ledger',
      () => ({ add: [change({ source: 'urn:cluster-ledger:x' })] }),
      '/add/0/source',
    ],
    ['an added event is null', () => ({ add: [null] }), '/add/0'],
    ['a removed event is not an id', () => ({ remove: ['e1'] }), '/remove/0'],
    ['a removed event does not exist', () => ({ remove: [idOf(0), unknown] }), '/remove/1'],
    ['a removed event is of another account', () => ({ remove: [idOf(3)] }), '/remove/0'],
    ['an event is removed twice', () => ({ remove: [idOf(0), idOf(0)] }), '/remove'],
    [
      'a void names no fact',
      () => ({ add: [voided('c1', day('03-02'), unknown)] }),
      '/add/0/data/voids',
      'void-target-unknown',
    ],
    [
      'a void names what is removed',
      () => ({ remove: [idOf(1)], add: [voided('c1', day('03-02'), idOf(1))] }),
      '/add/0/data/voids',
      'void-target-unknown',
    ],
    [
      'a cluster would have two accounts',
      () => ({ add: [registered('c1', day('03-01'), 'globex')] }),
      '/add/0/data/accountId',
      'registration-conflict',
    ],
    [
      'a cluster would come back',
      () => ({ add: [valid(), deleted('c2', day('03-25')), registered('c2', day('03-26'))] }),
      '/add/2/time',
      'cluster-deleted',
    ],
  ])('%s', async (_, question, pointer, code = 'invalid-request') => {
    const { status, body } = await ask(ledger(), question());
    expect([400, 409, 422]).toContain(status);
    expect(body.type).toBe(`urn:cluster-ledger:problem:${code}`);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  test('the body is not JSON or is missing, or the account is unknown', async () => {
    for (const body of ['{', '[]', 'null']) {
      const headers = { 'content-type': 'application/json' };
      const { status } = await ledger().fetch('/v1/accounts/acme/what-if', { method: 'POST', headers, body });
      expect(status).toBe(400);
    }
    expect((await ledger().fetch('/v1/accounts/acme/what-if', { method: 'POST' })).status).toBe(400);
    expect((await ask(ledger(), { add: [valid()] }, 'nobody')).status).toBe(404);
  });
});

const voiding = (it: TestLedger, eventId: string, more: object = {}) =>
  it.fetch(`/v1/events/${eventId}/void`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'a mistake', ...more }),
  });

describe('a dry run of a void', () => {
  test('lists every period whose figures change, and the void then changes exactly these', async () => {
    const it = await ledgerForTest();
    const [first, stop] = await it.record(
      registered('c1', day('01-10')),
      stopped('c1', day('02-15')),
      registered('c2', day('01-01')),
    );
    await it.fetch('/v1/periods/2026-01/close', { method: 'POST' });
    await it.fetch('/v1/periods/2026-02/close', { method: 'POST' });
    const { body, status } = await voiding(it, stop?.eventId ?? '', { dryRun: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: 'would-void',
      eventId: stop?.eventId,
      clusterId: 'c1',
      fact: { type: 'BillingStopped', position: '2', actor: 'loopback' },
    });
    expect(body.accounts.map(({ accountId }: { accountId: string }) => accountId)).toEqual(['acme']);
    const { periods } = body.accounts[0];
    const states = periods.map(({ period, state, delta }: Record<string, unknown>) => [period, state, delta]);
    expect(states).toEqual([
      ['2026-02', 'closed', { billableClusters: 0, clusterSeconds: `${14 * 86_400}.000` }],
      ['2026-03', 'due', { billableClusters: 1, clusterSeconds: `${31 * 86_400}.000` }],
      ['2026-04', 'open', { billableClusters: 1, clusterSeconds: `${14.5 * 86_400}.000` }],
    ]);
    const figures = async (period: string) => {
      const { usage, byType } = (await it.get(`/v1/accounts/acme/usage?period=${period}`)).body;
      return { usage, byType };
    };
    for (const { period, before } of periods) expect(await figures(period)).toEqual(before);
    const all = await voiding(it, first?.eventId ?? '', { dryRun: true });
    expect(all.body.accounts[0].periods.map(({ period }: { period: string }) => period)).toEqual([
      '2026-01',
      '2026-02',
    ]);
    expect((await voiding(it, stop?.eventId ?? '')).status).toBe(201);
    for (const { period, after } of periods) expect(await figures(period)).toEqual(after);
    const again = await voiding(it, stop?.eventId ?? '', { dryRun: true });
    expect(again.body.accounts).toEqual([]);
  });

  test('is rejected like the void itself', async () => {
    const it = await ledgerForTest();
    const [first] = await it.record(registered('c1', day('03-01')));
    const [undone] = await it.record(voided('c1', day('03-01'), first?.eventId ?? ''));
    const refused = await voiding(it, undone?.eventId ?? '', { dryRun: true });
    expect(refused.body.type).toBe('urn:cluster-ledger:problem:void-target-not-voidable');
    const unknown = '00000000-0000-5000-8000-000000000000';
    expect((await voiding(it, unknown, { dryRun: true })).status).toBe(404);
    const future = await voiding(it, first?.eventId ?? '', {
      dryRun: true,
      effectiveAt: '2027-01-01T00:00:00Z',
    });
    expect(future.body.type).toBe('urn:cluster-ledger:problem:effective-in-future');
    const malformed = await voiding(it, first?.eventId ?? '', { dryRun: 'yes' });
    expect(malformed.body.errors[0].pointer).toBe('/dryRun');
    const unexplained = await voiding(it, first?.eventId ?? '', { dryRun: true, reason: undefined });
    expect(unexplained.body.errors[0].pointer).toBe('/reason');
  });
});

test.each(stores)('a simulation writes nothing on $name', async ({ connection }) => {
  const it = await ledgerForTest({ store: connection });
  const [first] = await it.record(registered('c1', day('03-01')), deleted('c1', day('03-02')));
  const before = await readLog(it.rooms.store);
  const written: string[] = [];
  const { store } = it.rooms;
  const append = store.append.bind(store);
  store.append = (stream, ...given) => {
    written.push(stream);
    return append(stream, ...given);
  };
  const eventId = first?.eventId ?? '';
  expect((await ask(it, { add: [stopped('c1', day('03-01'))], remove: [eventId] })).status).toBe(200);
  expect((await ask(it, { add: [registered('c1', day('03-01'), 'globex')] })).status).toBe(409);
  expect((await voiding(it, eventId, { dryRun: true })).status).toBe(200);
  expect((await voiding(it, eventId, { dryRun: true, effectiveAt: '2027-01-01T00:00:00Z' })).status).toBe(
    422,
  );
  expect(written).toEqual([]);
  expect(await readLog(store)).toEqual(before);
});
