import { describe, expect, test } from 'vitest';
import { deleted, event, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

const MARCH = '2026-03-01T00:00:00.000Z';
const APRIL = '2026-04-01T00:00:00.000Z';

const details = {
  clusterType: 'workload',
  cloudProvider: 'aws',
  region: 'eu-central-2',
  labels: { team: 'payments' },
  connection: 'argocd/alpha',
};

const ledger = sharedLedger(async (it) => {
  await it.record(
    registered('alpha', MARCH, 'acme', { ...details, name: 'Production' }),
    registered('beta', APRIL, 'acme', { name: 'Staging' }),
    stopped('beta', '2026-04-05T00:00:00Z', 'manual'),
    stopped('beta', '2026-04-06T00:00:00Z', 'unreachable'),
    registered('gamma', APRIL, 'globex', { name: 'production 2' }),
    deleted('gamma', '2026-04-10T00:00:00Z'),
    registered('delta', APRIL, 'globex', { name: 'Management', clusterType: 'management', billable: false }),
    event('cluster.changed', 'delta', '2026-04-02T00:00:00Z', { clusterType: 'workload' }),
    stopped('epsilon', APRIL),
    registered('zeta', '2026-04-15T12:04:00Z', 'globex', { name: 'Tomorrow' }),
  );
});

async function list(query: string): Promise<string[]> {
  const { status, body, text } = await ledger().get(`/v1/clusters${query}`);
  expect(status, text).toBe(200);
  return body.items.map(({ clusterId }: { clusterId: string }) => clusterId);
}

describe('the list of clusters', () => {
  test.each([
    ['', ['alpha', 'beta', 'delta', 'epsilon', 'gamma', 'zeta']],
    ['?accountId=acme', ['alpha', 'beta']],
    ['?accountId=nobody', []],
    ['?billable=false', ['delta']],
    ['?billable=true', ['alpha', 'beta', 'gamma', 'zeta']],
    ['?status=orphan', ['epsilon']],
    ['?status=deleted', ['gamma']],
    ['?status=free', ['delta']],
    ['?status=pending', ['zeta']],
    ['?status=stopped', ['beta']],
    ['?status=billed', ['alpha']],
    ['?q=PROD', ['alpha', 'gamma']],
    ['?q=eta', ['beta', 'zeta']],
    ['?q=prod&accountId=globex', ['gamma']],
    ['?clusterType=workload', ['alpha', 'delta']],
    ['?clusterType=workload&billable=false', ['delta']],
    ['?clusterType=work', []],
    ['?labels=team=payments', ['alpha']],
    ['?labels=team=payments,other=x', []],
    ['?labels=team=', []],
    ['?sort=-clusterId', ['zeta', 'gamma', 'epsilon', 'delta', 'beta', 'alpha']],
    ['?sort=name', ['epsilon', 'delta', 'alpha', 'beta', 'zeta', 'gamma']],
    ['?sort=-name', ['gamma', 'zeta', 'beta', 'alpha', 'delta', 'epsilon']],
    ['?sort=registeredAt', ['epsilon', 'alpha', 'beta', 'delta', 'gamma', 'zeta']],
    ['?sort=-registeredAt', ['zeta', 'gamma', 'delta', 'beta', 'alpha', 'epsilon']],
    ['?sort=accountId', ['epsilon', 'alpha', 'beta', 'delta', 'gamma', 'zeta']],
    ['?sort=status', ['alpha', 'gamma', 'delta', 'epsilon', 'zeta', 'beta']],
    ['?sort=-billedSince', ['alpha', 'zeta', 'gamma', 'epsilon', 'delta', 'beta']],
    ['?sort=billedThisPeriod', ['delta', 'epsilon', 'zeta', 'beta', 'gamma', 'alpha']],
  ])('%s is %j', async (query, clusters) => {
    expect(await list(query)).toEqual(clusters);
  });

  test.each(['clusterId', '-clusterId', 'name', '-name', 'registeredAt', '-registeredAt'])(
    'sorted by %s is the same page by page',
    async (sort) => {
      const pages: string[][] = [];
      let cursor: string | undefined = '';
      while (cursor !== undefined) {
        const behind: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await ledger().get(`/v1/clusters?sort=${sort}&limit=2${behind}`);
        pages.push(body.items.map(({ clusterId }: { clusterId: string }) => clusterId));
        cursor = body.next;
      }
      expect(pages.map((page) => page.length)).toEqual([2, 2, 2]);
      expect(pages.flat()).toEqual(await list(`?sort=${sort}`));
    },
  );

  test.each([
    ['?limit=0', '/query/limit'],
    ['?limit=1001', '/query/limit'],
    ['?limit=ten', '/query/limit'],
    ['?limit=1&limit=2', '/query/limit'],
    ['?cursor=x', '/query/cursor'],
    ['?cursor=WzFd', '/query/cursor'],
    ['?sort=price', '/query/sort'],
    ['?status=gone', '/query/status'],
    ['?billable=yes', '/query/billable'],
    ['?q=', '/query/q'],
    ['?clusterType=', '/query/clusterType'],
    [`?clusterType=${'x'.repeat(65)}`, '/query/clusterType'],
    ['?labels=team', '/query/labels'],
    ['?labels=a=1,', '/query/labels'],
    ['?account=acme', '/query/account'],
    ['?accountId=', '/query/accountId'],
    ['?minPosition=-1', '/query/minPosition'],
    ['?__proto__=1', '/query/__proto__'],
    ['?constructor=1', '/query/constructor'],
  ])('refuses %s, and names the parameter', async (query, pointer) => {
    const { status, body } = await ledger().get(`/v1/clusters${query}`);
    expect(status).toBe(400);
    expect(body.errors[0].pointer).toBe(pointer);
  });
});

describe('a cluster', () => {
  test('shows its registration and since when it is billed', async () => {
    const { body, headers } = await ledger().get('/v1/clusters/alpha');
    expect(body).toEqual({
      clusterId: 'alpha',
      status: 'billed',
      accountId: 'acme',
      billable: true,
      name: 'Production',
      ...details,
      registeredAt: MARCH,
      deletedAt: null,
      billedSince: MARCH,
      stoppedBy: [],
      lastPosition: '1',
    });
    expect(Number(headers.get('ledger-position'))).toBeGreaterThanOrEqual(10);
  });

  test('shows the causes that stop its billing', async () => {
    expect((await ledger().get('/v1/clusters/beta')).body).toMatchObject({
      status: 'stopped',
      billedSince: null,
      stoppedBy: ['unreachable', 'manual'],
    });
  });

  test('is an orphan if it has no registration', async () => {
    expect((await ledger().get('/v1/clusters/epsilon')).body).toMatchObject({
      status: 'orphan',
      accountId: null,
      billable: null,
      name: null,
      registeredAt: null,
    });
  });

  test.each(['/v1/clusters/unknown', '/v1/clusters/unknown/billing', '/v1/clusters/unknown/events'])(
    'is not found if it has no facts: %s',
    async (path) => {
      expect(await ledger().get(path)).toMatchObject({ status: 404, body: { status: 404 } });
    },
  );

  test('has an id that the path validates', async () => {
    const { status, body } = await ledger().get('/v1/clusters/a%20b');
    expect([status, body.errors[0].pointer]).toEqual([400, '/path/clusterId']);
  });

  test('has billed intervals that name the facts that open and close them', async () => {
    const it = ledger();
    const recorded = await it.record(
      registered('eta', '2026-04-01T00:00:00Z', 'hooli'),
      stopped('eta', '2026-04-02T00:00:00Z'),
      resumed('eta', '2026-04-03T00:00:00Z'),
      deleted('eta', '2026-04-04T00:00:00Z'),
    );
    const ids = recorded.map(({ eventId }) => eventId);
    expect((await it.get('/v1/clusters/eta/billing')).body).toMatchObject({
      clusterId: 'eta',
      accountId: 'hooli',
      asOf: null,
      intervals: [
        { from: APRIL, to: '2026-04-02T00:00:00.000Z', openedBy: ids[0], closedBy: ids[1] },
        {
          from: '2026-04-03T00:00:00.000Z',
          to: '2026-04-04T00:00:00.000Z',
          openedBy: ids[2],
          closedBy: ids[3],
        },
      ],
    });
    expect((await it.get(`/v1/clusters/eta/billing?asOf=${recorded[1]?.position}`)).body).toMatchObject({
      asOf: recorded[1]?.position,
      position: recorded[1]?.position,
      intervals: [{ from: APRIL, to: '2026-04-02T00:00:00.000Z' }],
    });
  });

  test('lists its facts in the order in which they were recorded, page by page', async () => {
    const it = ledger();
    const facts = Array.from({ length: 5 }, (_, i) =>
      event('cluster.reachable', 'theta', `2026-04-0${9 - i}T00:00:00Z`),
    );
    await it.record(...facts);
    const { body: first } = await it.get('/v1/clusters/theta/events?limit=3');
    const { body: second } = await it.get(`/v1/clusters/theta/events?limit=3&cursor=${first.next}`);
    expect(second.next).toBeUndefined();
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(facts.map(({ id }) => id));
  });
});

test.each(['[-2]', '[0.5]', '[1e308]', '["1"]', '[1,2]', '{}'])(
  'a forged cursor %s is refused',
  async (values) => {
    const cursor = Buffer.from(values).toString('base64url');
    const { status, body } = await ledger().get(`/v1/clusters/theta/events?cursor=${cursor}`);
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, '/query/cursor']);
  },
);

describe('an account', () => {
  test('counts its clusters, and how many are billed now', async () => {
    expect((await ledger().get('/v1/accounts/acme')).body).toEqual({
      accountId: 'acme',
      billedByType: [{ clusterType: 'workload', billed: 1 }],
      clusters: 2,
      billedNow: 1,
    });
    expect((await ledger().get('/v1/accounts/globex')).body).toMatchObject({ clusters: 3, billedNow: 0 });
  });

  test('is not found if no cluster was ever registered to it', async () => {
    expect((await ledger().get('/v1/accounts/nobody')).status).toBe(404);
    expect((await ledger().get('/v1/accounts/nobody/usage?period=2026-04')).status).toBe(404);
  });

  test('is listed in order, page by page', async () => {
    const { body: first } = await ledger().get('/v1/accounts?limit=1');
    const { body: rest } = await ledger().get(`/v1/accounts?cursor=${first.next}`);
    const ids = [...first.items, ...rest.items].map(({ accountId }) => accountId);
    expect(ids).toEqual([...ids].sort());
    expect(ids).toEqual(expect.arrayContaining(['acme', 'globex']));
  });

  test('no longer has a cluster whose registration to it was voided', async () => {
    const it = ledger();
    const [wrong] = await it.record(registered('iota', APRIL, 'initech'));
    await it.record(voided('iota', APRIL, wrong?.eventId as string), registered('iota', APRIL, 'umbrella'));
    expect((await it.get('/v1/accounts/initech')).body).toMatchObject({ clusters: 0, billedNow: 0 });
    expect((await it.get('/v1/accounts/umbrella')).body).toMatchObject({ clusters: 1, billedNow: 1 });
    expect(await list('?accountId=initech')).toEqual([]);
  });
});

test('as of a position or an instant, the facts of a cluster are those known then, page by page', async () => {
  const it = await ledgerForTest();
  await it.record(registered('late', '2026-03-01T00:00:00Z'), registered('other', '2026-03-01T00:00:00Z'));
  await it.record(stopped('late', '2026-03-02T00:00:00Z'));
  it.pass(1_000);
  await it.record(deleted('late', '2026-03-03T00:00:00Z'));
  const positions = async (query: string) => {
    const { body } = await it.get(`/v1/clusters/late/events?${query}`);
    return [
      body.items.map((item: { ledgerposition: string }) => item.ledgerposition),
      body.next !== undefined,
    ];
  };
  expect(await positions('asOf=2')).toEqual([['1'], false]);
  expect(await positions('asOf=2026-04-15T12:00:00.999Z')).toEqual([['1', '3'], false]);
  expect(await positions('asOf=3&limit=1')).toEqual([['1'], true]);
  expect(await positions('asOf=0')).toEqual([[], false]);
  const { status, body } = await it.get('/v1/clusters/late/events?asOf=6');
  expect([status, body.errors[0].pointer]).toEqual([400, '/query/asOf']);
});

test('an account whose id is a mail address has a profile', async () => {
  const headers = { 'content-type': 'application/json' };
  const put = { method: 'PUT', headers, body: JSON.stringify({ name: 'Ops' }) };
  const { status, body } = await ledger().fetch('/v1/accounts/ops%40example.org', put);
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({ accountId: 'ops@example.org', name: 'Ops' }),
  ]);
  expect((await ledger().get('/v1/accounts/ops%40example.org')).body.name).toBe('Ops');
});

describe('the list of clusters, when the time billed is asked for,', () => {
  const april = 14.5 * 86_400;

  test('has for each cluster the seconds of the current period that its owner is billed', async () => {
    const { body } = await ledger().get('/v1/clusters?billedTime=true');
    const seconds = body.items.map(
      ({
        clusterId,
        billedThisPeriod,
      }: {
        clusterId: string;
        billedThisPeriod: { clusterSeconds: string };
      }) => [clusterId, billedThisPeriod.clusterSeconds],
    );
    expect(Object.fromEntries(seconds)).toMatchObject({
      alpha: `${april}.000`,
      beta: `${4 * 86_400}.000`,
      gamma: `${9 * 86_400}.000`,
      delta: '0.000',
      epsilon: '0.000',
      zeta: '0.000',
    });
    expect((await ledger().get('/v1/clusters')).body.items[0]).not.toHaveProperty('billedThisPeriod');
  });

  test('leaves out what a former owner was billed', async () => {
    const it = await ledgerForTest();
    await it.record(
      registered('moved', APRIL, 'acme'),
      event('cluster.changed', 'moved', '2026-04-11T00:00:00.000Z', { accountId: 'globex' }),
    );
    const { body } = await it.get('/v1/clusters?billedTime=true');
    expect(body.items[0].billedThisPeriod).toEqual({
      period: '2026-04',
      clusterSeconds: `${4.5 * 86_400}.000`,
    });
  });
});

test('the first page has the number of all selected clusters if it is asked for, and later pages do not', async () => {
  const first = await ledger().get('/v1/clusters?total=true&limit=2&accountId=globex');
  expect(first.body.total).toBe(3);
  const second = await ledger().get(
    `/v1/clusters?total=true&limit=2&accountId=globex&cursor=${first.body.next}`,
  );
  expect(second.body.items).toHaveLength(1);
  expect(second.body).not.toHaveProperty('total');
});

test('the facts of a cluster name who posted them', async () => {
  const { body } = await ledger().get('/v1/clusters/alpha/events');
  expect(body.items[0].ledgeractor).toBe('loopback');
});
