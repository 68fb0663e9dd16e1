import { describe, expect, test } from 'vitest';
import { deleted, event, registered, stopped } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

const ledger = sharedLedger(async (it) => {
  await it.record(registered('a1', '2026-01-01T00:00:00Z', 'acme'));
  it.pass(1_000);
  await it.record(registered('a2', '2026-03-10T00:00:00Z', 'acme'), deleted('a2', '2026-03-20T00:00:00Z'));
  it.pass(1_000);
  await it.record(registered('g1', '2026-03-31T23:59:59.999Z', 'globex'));
  await it.record(registered('f1', '2026-03-01T00:00:00Z', '_free', { billable: false }));
});

const acmeInMarch = {
  billableClusters: 2,
  clusterSeconds: '3542400.000',
  peakClusters: 2,
  clustersAtStart: 1,
  clustersAtEnd: 1,
  averageClusters: '1.322581',
};
const globexInMarch = {
  billableClusters: 1,
  clusterSeconds: '0.001',
  peakClusters: 1,
  clustersAtStart: 0,
  clustersAtEnd: 1,
  averageClusters: '0.000000',
};
const nothing = {
  billableClusters: 0,
  clusterSeconds: '0.000',
  peakClusters: 0,
  clustersAtStart: 0,
  clustersAtEnd: 0,
  averageClusters: '0.000000',
};
/** The breakdown of clusters of which no fact says a type. */
const untyped = (usage: object) => ({ usage, byType: [{ clusterType: null, ...usage }] });
const march = {
  period: '2026-03',
  window: { from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' },
  through: '2026-04-01T00:00:00.000Z',
};

describe('the usage of a month', () => {
  test('lists every account with the window, the position and the measures', async () => {
    const { body, headers } = await ledger().get('/v1/usage?period=2026-03');
    expect(body).toEqual({
      ...march,
      asOf: null,
      position: '6',
      items: [
        { accountId: '_free', usage: nothing, byType: [] },
        { accountId: 'acme', ...untyped(acmeInMarch) },
        { accountId: 'globex', ...untyped(globexInMarch) },
      ],
    });
    expect(headers.get('ledger-position')).toBe('6');
  });

  test('is the same for an account by filter and by path', async () => {
    const { body: filtered } = await ledger().get('/v1/usage?period=2026-03&accountId=acme');
    const { body: own } = await ledger().get('/v1/accounts/acme/usage?period=2026-03');
    expect(filtered.items).toEqual([{ accountId: 'acme', ...untyped(acmeInMarch) }]);
    expect(own).toEqual({ accountId: 'acme', ...march, asOf: null, position: '6', ...untyped(acmeInMarch) });
  });

  test('is counted up to now while the month lasts, or up to a requested instant', async () => {
    const { body: now } = await ledger().get('/v1/accounts/acme/usage?period=2026-04');
    expect(now).toMatchObject({
      through: '2026-04-15T12:00:02.000Z',
      usage: { clusterSeconds: '1252802.000' },
    });
    const { body: asked } = await ledger().get(
      '/v1/accounts/acme/usage?period=2026-04&through=2026-04-02T00:00:00Z',
    );
    expect(asked).toMatchObject({
      through: '2026-04-02T00:00:00.000Z',
      usage: { clusterSeconds: '86400.000' },
    });
  });

  test('can be split by day, and the days add up', async () => {
    const { body } = await ledger().get('/v1/accounts/acme/usage?period=2026-03&granularity=day');
    expect(body.usage).toEqual(acmeInMarch);
    expect(body.days).toHaveLength(31);
    expect(body.days[9]).toEqual({
      date: '2026-03-10',
      ...untyped({
        billableClusters: 2,
        clusterSeconds: '172800.000',
        peakClusters: 2,
        clustersAtStart: 2,
        clustersAtEnd: 2,
        averageClusters: '2.000000',
      }),
    });
    const seconds = body.days.map(({ usage }: { usage: { clusterSeconds: string } }) =>
      Number(usage.clusterSeconds),
    );
    expect(seconds.reduce((a: number, b: number) => a + b, 0)).toBe(3_542_400);
  });

  test('ends with the current day if split by day', async () => {
    const { body } = await ledger().get('/v1/usage?period=2026-04&granularity=day&accountId=globex');
    expect(body.items[0].days).toHaveLength(15);
    expect(body.items[0].days.at(-1)).toMatchObject({
      date: '2026-04-15',
      usage: { clusterSeconds: '43202.000' },
    });
  });

  test('is returned page by page, each with the same head', async () => {
    const { body: first } = await ledger().get('/v1/usage?period=2026-03&limit=2');
    const { body: second } = await ledger().get(`/v1/usage?period=2026-03&limit=2&cursor=${first.next}`);
    const accounts = [...first.items, ...second.items].map(({ accountId }) => accountId);
    expect(accounts).toEqual(['_free', 'acme', 'globex']);
    expect(second.next).toBeUndefined();
  });
});

describe('the usage of a window', () => {
  test('is counted from its first to its last millisecond', async () => {
    const window = 'from=2026-03-19T23:59:59.999Z&to=2026-03-20T00:00:00.001Z';
    const { body } = await ledger().get(`/v1/accounts/acme/usage?${window}`);
    expect(body.usage).toEqual({
      billableClusters: 2,
      clusterSeconds: '0.003',
      peakClusters: 2,
      clustersAtStart: 2,
      clustersAtEnd: 1,
      averageClusters: '1.500000',
    });
    expect(body.period).toBeUndefined();
  });

  test('is zero if the window is empty', async () => {
    const instant = '2026-03-15T00:00:00Z';
    const { body } = await ledger().get(`/v1/accounts/acme/usage?from=${instant}&to=${instant}`);
    expect(body.usage).toEqual(nothing);
  });

  test('is zero if the window has not begun', async () => {
    expect((await ledger().get('/v1/accounts/acme/usage?period=2030-01')).body.usage).toEqual(nothing);
  });

  test.each([
    ['', '/query/period'],
    ['?period=2026-03&from=2026-03-01T00:00:00Z', '/query/period'],
    ['?from=2026-03-01T00:00:00Z', '/query/period'],
    ['?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z', '/query/to'],
    ['?period=2026-13', '/query/period'],
    ['?period=2026-3', '/query/period'],
    ['?period=9999-12', '/query/period'],
    ['?period=2026-03&period=2026-04', '/query/period'],
    ['?from=2026-02-30T00:00:00Z&to=2026-03-01T00:00:00Z', '/query/from'],
    ['?period=2026-03&through=now', '/query/through'],
    ['?period=2026-03&asOf=latest', '/query/asOf'],
    ['?period=2026-03&asOf=7000', '/query/asOf'],
    ['?period=2026-03&asOf=01', '/query/asOf'],
    ['?period=2026-03&granularity=hour', '/query/granularity'],
    ['?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&granularity=day', '/query/granularity'],
    ['?period=2026-03&account=acme', '/query/account'],
    ['?period=2026-03&accountId=a%20b', '/query/accountId'],
    ['?period=2026-03&limit=0', '/query/limit'],
    ['?period=2026-03&cursor=', '/query/cursor'],
  ])('refuses %s, and names the parameter', async (query, pointer) => {
    const { status, body } = await ledger().get(`/v1/usage${query}`);
    expect(status).toBe(400);
    expect(body.errors[0].pointer).toBe(pointer);
  });
});

describe('usage with groupBy', () => {
  const moving = sharedLedger(async (it) => {
    await it.record(
      registered('m1', '2026-03-01T00:00:00Z', 'acme', {
        region: 'eu-1',
        cloudProvider: 'aws',
        labels: { team: 'a' },
      }),
      event('cluster.changed', 'm1', '2026-03-11T00:00:00Z', { region: 'us-1' }),
      registered('m2', '2026-03-30T00:00:00Z', 'acme'),
    );
  });
  const secondsBy = async (groupBy: string) => {
    const path = `/v1/accounts/acme/usage?period=2026-03&groupBy=${encodeURIComponent(groupBy)}`;
    const { body } = await moving().get(path);
    return body.groups.map(({ value, clusterSeconds }: Record<string, string>) => [value, clusterSeconds]);
  };

  test('divides the time of a cluster that moves between both regions', async () => {
    expect(await secondsBy('region')).toEqual([
      [null, `${2 * 86_400}.000`],
      ['eu-1', `${10 * 86_400}.000`],
      ['us-1', `${21 * 86_400}.000`],
    ]);
  });

  test('groups by the cloud provider', async () => {
    expect(await secondsBy('cloudProvider')).toEqual([
      [null, `${2 * 86_400}.000`],
      ['aws', `${31 * 86_400}.000`],
    ]);
  });

  test('groups by a label', async () => {
    expect(await secondsBy('label:team')).toEqual([
      [null, `${2 * 86_400}.000`],
      ['a', `${31 * 86_400}.000`],
    ]);
  });

  test('is a column of CSV, with * in the rows that sum up all groups', async () => {
    const { text } = await moving().get('/v1/usage?period=2026-03&groupBy=region', { accept: 'text/csv' });
    const [header, ...rows] = text.trim().split('\r\n');
    const column = header?.split(',').indexOf('group') ?? -1;
    expect(rows.map((row) => row.split(',')[column])).toEqual(['*', '*', '', 'eu-1', 'us-1']);
  });

  test.each(['team', 'label:', 'labels:team', ''])(
    'rejects %j and names what is allowed',
    async (groupBy) => {
      const { status, body } = await moving().get(`/v1/usage?period=2026-03&groupBy=${groupBy}`);
      expect([status, body.errors[0].pointer]).toEqual([400, '/query/groupBy']);
      expect(body.errors[0].detail).toContain('region, cloudProvider, clusterType or label:<key>');
    },
  );
});

describe('usage with asOf', () => {
  test('leaves out facts recorded after the position, and never changes', async () => {
    const it = await ledgerForTest();
    await it.record(registered('c1', '2026-03-01T00:00:00Z'));
    const before = await it.get('/v1/usage?period=2026-03&asOf=1');
    await it.record(stopped('c1', '2026-03-02T00:00:00Z'));
    const after = await it.get('/v1/usage?period=2026-03&asOf=1');
    expect(after.text).toBe(before.text);
    expect(after.body).toMatchObject({ asOf: '1', position: '1' });
    expect((await it.get('/v1/usage?period=2026-03')).body.items[0].usage.clusterSeconds).toBe('86400.000');
  });

  test('is empty at position 0', async () => {
    expect((await ledger().get('/v1/usage?period=2026-03&asOf=0')).body.items).toEqual([]);
  });

  test('uses the facts recorded at or before an instant', async () => {
    const accounts = async (asOf: string) => {
      const { body } = await ledger().get(`/v1/usage?period=2026-03&asOf=${asOf}`);
      return [body.position, body.asOf, ...body.items.map(({ usage }: { usage: object }) => usage)];
    };
    const acme = { ...acmeInMarch, billableClusters: 1, clusterSeconds: '2678400.000', peakClusters: 1 };
    const alone = { ...acme, averageClusters: '1.000000' };
    const justBefore = '2026-04-15T12:00:00.999Z';
    expect(await accounts('2026-04-15T11:59:59Z')).toEqual(['0', '2026-04-15T11:59:59.000Z']);
    expect(await accounts(justBefore)).toEqual(['1', justBefore, alone]);
    expect(await accounts('2026-04-15T12:00:01Z')).toEqual(['4', '2026-04-15T12:00:01.000Z', acmeInMarch]);
    expect((await accounts('2027-01-01T00:00:00Z'))[0]).toBe('6');
  });

  test('does not limit the counted time: the window and the clock do', async () => {
    const { body } = await ledger().get('/v1/accounts/acme/usage?period=2026-04&asOf=1');
    expect(body).toMatchObject({
      through: '2026-04-15T12:00:02.000Z',
      usage: { clusterSeconds: '1252802.000' },
    });
  });
});

describe('usage by Accept', () => {
  const usage = (accept: string, query = '?period=2026-03') => ledger().get(`/v1/usage${query}`, { accept });

  test('is CSV with a row per account, and one for each of its cluster types', async () => {
    const { headers, text } = await usage('text/csv');
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(headers.get('ledger-position')).toBe('6');
    const head = '2026-03,2026-03-01T00:00:00.000Z,2026-04-01T00:00:00.000Z,2026-04-01T00:00:00.000Z,,6,';
    expect(text.split('\r\n')).toEqual([
      'accountId,period,from,to,through,asOf,position,date,clusterType,billableClusters,clusterSeconds,clusterMilliseconds,peakClusters,clustersAtStart,clustersAtEnd,averageClusters',
      `_free,${head},*,0,0,0,0,0,0,0.000000`,
      `acme,${head},*,2,3542400,3542400000,2,1,1,1.322581`,
      `acme,${head},,2,3542400,3542400000,2,1,1,1.322581`,
      `globex,${head},*,1,0.001,1,1,0,1,0.000000`,
      `globex,${head},,1,0.001,1,1,0,1,0.000000`,
      '',
    ]);
  });

  test('is CSV with a row per account and day', async () => {
    const { text } = await usage('text/csv', '?period=2026-03&granularity=day&accountId=acme');
    const rows = text.trimEnd().split('\r\n').slice(1);
    expect(rows).toHaveLength(62);
    expect(rows[18]).toMatch(/,2026-03-10,\*,2,172800,172800000,2,2,2,2\.000000$/);
  });

  test('is NDJSON with a line per account, each with its head', async () => {
    const { headers, text } = await usage('application/x-ndjson');
    expect(headers.get('content-type')).toMatch(/^application\/x-ndjson\b/);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3);
    expect(lines[1]).toEqual({
      ...march,
      asOf: null,
      position: '6',
      accountId: 'acme',
      ...untyped(acmeInMarch),
    });
  });

  test.each([
    ['*/*', 'application/json'],
    ['text/*', 'text/csv'],
    ['text/csv;q=0.5, application/json;q=0.4', 'text/csv'],
    ['text/html, application/json;q=0.9', 'application/json'],
  ])('%s is answered with %s', async (accept, type) => {
    const { headers } = await usage(accept);
    expect(headers.get('content-type')).toContain(type);
    expect(headers.get('vary')).toMatch(/accept/i);
  });

  test.each(['image/png', 'text/html', 'application/xml'])('is not available as %s', async (accept) => {
    const { status, body } = await usage(accept);
    expect([status, body.type]).toEqual([406, 'urn:cluster-ledger:problem:not-acceptable']);
  });
});

test('usage of an account that no cluster ever belonged to is not found, in the list too', async () => {
  for (const path of [
    '/v1/usage?period=2026-03&accountId=nobody',
    '/v1/accounts/nobody/usage?period=2026-03',
  ])
    expect((await ledger().get(path)).body).toMatchObject({
      status: 404,
      detail: 'no cluster ever belonged to account nobody',
    });
});

describe('a strong ETag', () => {
  const path = '/v1/usage?period=2026-03';

  test('saves the body while nothing has changed', async () => {
    const it = await ledgerForTest();
    await it.record(registered('c1', '2026-03-01T00:00:00Z'));
    const { headers } = await it.get(path);
    const etag = headers.get('etag') as string;
    expect(etag).toMatch(/^"[^"]+"$/);
    it.pass(86_400_000);
    // Facts move the position of the answer, but not the figures of a month that has ended.
    await it.record(registered('c2', '2026-04-01T00:00:00Z'));
    expect(await it.get(path, { 'if-none-match': etag })).toMatchObject({ status: 304, text: '' });
    await it.record(stopped('c1', '2026-03-02T00:00:00Z'));
    expect((await it.get(path, { 'if-none-match': etag })).status).toBe(200);
  });

  test('differs by representation', async () => {
    const tags = await Promise.all(
      ['application/json', 'text/csv', 'application/x-ndjson'].map(async (accept) =>
        (await ledger().get(path, { accept })).headers.get('etag'),
      ),
    );
    expect(new Set(tags).size).toBe(3);
  });
});

describe('the usage of an account in a month that has ended', () => {
  const path = '/v1/accounts/acme/usage?period=2026-03';
  const seconds = (body: unknown) => (body as { usage: { clusterSeconds: string } }).usage.clusterSeconds;

  test('keeps its figures and its ETag while facts are recorded that do not change them', async () => {
    const it = await ledgerForTest();
    await it.record(registered('c1', '2026-03-01T00:00:00Z', 'acme'));
    it.pass(86_400_000);
    const first = await it.get(path);
    expect(first.body).toMatchObject({
      accountId: 'acme',
      position: '1',
      usage: { clusterSeconds: '2678400.000' },
    });
    await it.record(
      registered('c2', '2026-03-01T00:00:00Z', 'globex'),
      registered('c3', '2026-04-01T00:00:00Z', 'acme'),
    );
    const second = await it.get(path);
    expect(second.body).toEqual({ ...(first.body as object), position: '3' });
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect((await it.get(path, { 'if-none-match': first.headers.get('etag') as string })).status).toBe(304);
  });

  test('changes with a late fact, a void of it, and as of the position before them', async () => {
    const it = await ledgerForTest();
    await it.record(registered('c1', '2026-03-01T00:00:00Z', 'acme'));
    it.pass(86_400_000);
    const first = await it.get(path);
    await it.record(stopped('c1', '2026-03-02T00:00:00Z'));
    const late = await it.get(path);
    expect([seconds(first.body), seconds(late.body)]).toEqual(['2678400.000', '86400.000']);
    expect(late.headers.get('etag')).not.toBe(first.headers.get('etag'));
    const before = await it.get(`${path}&asOf=1`);
    expect([seconds(before.body), before.headers.get('etag')]).toEqual([
      '2678400.000',
      first.headers.get('etag'),
    ]);
    expect(seconds((await it.get(path)).body)).toBe('86400.000');
  });

  test('is answered in each form, for each window and up to each instant, whatever was asked for before', async () => {
    const it = ledger();
    const from = 'from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z';
    const asked = [
      path,
      `/v1/accounts/acme/usage?${from}`,
      `${path}&through=2026-03-15T00:00:00Z`,
      '/v1/accounts/acme/usage?period=2026-02',
      '/v1/accounts/globex/usage?period=2026-03',
    ];
    const answers = async () => {
      const all: unknown[] = [];
      for (const url of asked)
        for (const accept of ['application/json', 'text/csv', 'application/x-ndjson']) {
          const { text, headers } = await it.get(url, { accept });
          all.push([url, accept, text, headers.get('etag')]);
        }
      return all;
    };
    const first = await answers();
    expect(await answers()).toEqual(first);
    expect(new Set(first.map((answer) => (answer as string[])[3])).size).toBe(15);
    expect((await it.get(path)).body).toEqual({
      accountId: 'acme',
      ...march,
      asOf: null,
      position: '6',
      ...untyped(acmeInMarch),
    });
  });
});
