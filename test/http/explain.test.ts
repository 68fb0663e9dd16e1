import { describe, expect, onTestFinished, test } from 'vitest';
import { deleted, type PostedEvent, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, openLedger, type TestLedger } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { stores } from '../support/stores.ts';

const day = (of: string) => `2026-${of}T00:00:00.000Z`;
const MARCH = '/v1/accounts/acme/usage/explain?period=2026-03';

/** An account with a cluster for each reason to be billed or not, on 15 April. */
async function fill(ledger: TestLedger): Promise<void> {
  const [wrong] = await ledger.record(registered('voided', day('02-01')));
  await ledger.record(
    registered('whole', day('01-01'), 'acme', { name: '=whole' }),
    registered('stops', day('03-05')),
    stopped('stops', day('03-10')),
    resumed('stops', '2026-03-10T00:00:00.001Z'),
    deleted('stops', day('04-02')),
    registered('free', day('01-01'), 'acme', { billable: false }),
    registered('gone', day('01-01')),
    deleted('gone', day('02-01')),
    registered('stopped', day('01-01')),
    stopped('stopped', day('02-01')),
    registered('later', day('04-01')),
    registered('others', day('01-01'), 'globex'),
    voided('voided', day('04-01'), wrong?.eventId ?? ''),
  );
}

const ledger = sharedLedger(fill);

interface Part {
  readonly clusterSeconds: string;
}
const milliseconds = (parts: readonly Part[]) =>
  parts.reduce((sum, { clusterSeconds }) => sum + BigInt(clusterSeconds.replace('.', '')), 0n);

describe('an explanation', () => {
  test('breaks the usage down to the facts, each with its producer and time', async () => {
    const { body, headers } = await ledger().get(MARCH);
    const { body: events } = await ledger().get('/v1/clusters/stops/events');
    const ref = (i: number) => {
      const { source, id, ledgereventid, ledgerposition, time, recordedtime } = events.items[i];
      return {
        ...{ eventId: ledgereventid, position: ledgerposition, clusterId: 'stops', source, id },
        ...{ actor: 'loopback', effectiveAt: time, recordedAt: recordedtime },
      };
    };
    const { usage } = (await ledger().get('/v1/accounts/acme/usage?period=2026-03')).body;
    expect(body).toMatchObject({
      accountId: 'acme',
      period: '2026-03',
      window: { from: day('03-01'), to: day('04-01') },
      through: day('04-01'),
      asOf: null,
      position: headers.get('ledger-position'),
      usage,
    });
    expect(body.clusters.find(({ clusterId }: { clusterId: string }) => clusterId === 'stops')).toEqual({
      clusterId: 'stops',
      name: 'stops',
      billable: true,
      clusterSeconds: `${27 * 86_400 - 1}.999`,
      intervals: [
        {
          ...{
            from: day('03-05'),
            to: day('03-10'),
            clusterType: null,
            stillBilled: false,
            clusterSeconds: `${5 * 86_400}.000`,
          },
          openedBy: { type: 'ClusterRegistered', ...ref(0) },
          closedBy: { type: 'BillingStopped', ...ref(1) },
        },
        {
          ...{
            from: '2026-03-10T00:00:00.001Z',
            to: day('04-01'),
            clusterType: null,
            stillBilled: false,
          },
          clusterSeconds: `${22 * 86_400 - 1}.999`,
          openedBy: { type: 'BillingResumed', ...ref(2) },
          closedBy: { type: 'ClusterDeleted', ...ref(3) },
        },
      ],
    });
  });

  test('adds up, and gives a reason for every cluster that adds nothing', async () => {
    const { body } = await ledger().get(MARCH);
    const reasons = body.clusters.map(({ clusterId, why }: Record<string, string>) => [clusterId, why]);
    expect(Object.fromEntries(reasons)).toEqual({
      free: 'free',
      gone: 'deleted-before',
      stopped: 'stopped',
      later: 'not-yet',
      stops: undefined,
      voided: 'orphan',
      whole: undefined,
    });
    expect(milliseconds(body.clusters)).toBe(milliseconds([body.usage]));
    for (const cluster of body.clusters)
      expect(milliseconds(cluster.intervals)).toBe(milliseconds([cluster]));
    const none = body.clusters.find(({ clusterId }: { clusterId: string }) => clusterId === 'voided');
    expect(none).toEqual({
      ...{ clusterId: 'voided', name: null, billable: null, clusterSeconds: '0.000', intervals: [] },
      why: 'orphan',
    });
  });

  test('marks a cluster that is still billed, and counts it up to the requested instant', async () => {
    const path = '/v1/accounts/acme/usage/explain?period=2026-04';
    const { body } = await ledger().get(`${path}&through=2026-04-01T00:00:01.500Z`);
    const later = body.clusters.find(({ clusterId }: { clusterId: string }) => clusterId === 'later');
    expect(later.intervals).toMatchObject([
      { from: day('04-01'), to: '2026-04-01T00:00:01.500Z', stillBilled: true, closedBy: null },
    ]);
    expect(later.clusterSeconds).toBe('1.500');
    expect((await ledger().get(path)).body.through).toBe('2026-04-15T12:00:00.000Z');
  });

  test('uses only the facts known at a position or an instant, in any window', async () => {
    const it = await ledgerForTest();
    await it.record(registered('c1', day('03-01')));
    it.pass(60_000);
    await it.record(deleted('c1', day('03-02')));
    const window = `from=${day('02-20')}&to=${day('03-11')}`;
    for (const asOf of ['1', '2026-04-15T12:00:59.999Z']) {
      const { body } = await it.get(`/v1/accounts/acme/usage/explain?${window}&asOf=${asOf}`);
      expect(body).toMatchObject({ asOf, position: '1', usage: { clusterSeconds: `${10 * 86_400}.000` } });
      expect(body.clusters[0].intervals[0].closedBy).toBeNull();
    }
    const { body } = await it.get(`/v1/accounts/acme/usage/explain?${window}`);
    expect(body.usage.clusterSeconds).toBe('86400.000');
    const before = await it.get('/v1/accounts/acme/usage/explain?period=2026-03&asOf=0');
    expect(before.body).toMatchObject({ position: '0', clusters: [], usage: { billableClusters: 0 } });
  });

  test('is available as CSV with a row per interval and as NDJSON with a line per cluster, each with its own ETag', async () => {
    const csv = await ledger().get(MARCH, { accept: 'text/csv' });
    const [header = '', ...rows] = csv.text.trimEnd().split('\r\n');
    expect(header.split(',').slice(7, 15)).toEqual([
      ...['clusterId', 'name', 'from', 'to', 'clusterType', 'stillBilled', 'clusterSeconds'],
      'clusterMilliseconds',
    ]);
    expect(rows).toHaveLength(3);
    expect(rows[2]).toContain(`whole,'=whole,${day('03-01')},${day('04-01')},,true,2678400,2678400000,`);
    const lines = await ledger().get(MARCH, { accept: 'application/x-ndjson' });
    const { body, headers } = await ledger().get(MARCH);
    expect(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(body.clusters);
    const tags = [csv, lines, { headers }].map((answer) => answer.headers.get('etag'));
    expect(new Set(tags).size).toBe(3);
    const again = await ledger().get(MARCH, { 'if-none-match': tags[2] ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await ledger().get(MARCH, { accept: 'image/png' })).status).toBe(406);
  });

  test.each([
    ['/v1/accounts/acme/usage/explain', '/query/period'],
    ['/v1/accounts/acme/usage/explain?period=2026-13', '/query/period'],
    ['/v1/accounts/acme/usage/explain?period=2026-03&from=2026-03-01T00:00:00Z', '/query/period'],
    ['/v1/accounts/acme/usage/explain?from=2026-03-01T00:00:00Z&to=2026-02-01T00:00:00Z', '/query/to'],
    ['/v1/accounts/acme/usage/explain?from=yesterday&to=2026-02-01T00:00:00Z', '/query/from'],
    [`${MARCH}&asOf=99`, '/query/asOf'],
    [`${MARCH}&asOf=-1`, '/query/asOf'],
    [`${MARCH}&asOf=2026-03-01`, '/query/asOf'],
    [`${MARCH}&through=24:00`, '/query/through'],
    [`${MARCH}&granularity=day`, '/query/granularity'],
    ['/v1/accounts/-/usage/explain?period=2026-03', '/path/accountId'],
  ])('%s is refused, and the problem names the field', async (path, pointer) => {
    const { status, body } = await ledger().get(path);
    expect(status).toBe(400);
    expect(body.errors[0].pointer).toBe(pointer);
  });

  test('answers 404 for an unknown account', async () => {
    expect((await ledger().get('/v1/accounts/nobody/usage/explain?period=2026-03')).status).toBe(404);
  });
});

describe.each(stores)('on $name', ({ connection }) => {
  test('an explanation finds facts far apart in a long stream, and thousands of clusters', async () => {
    const it = await openLedger({ store: connection });
    onTestFinished(it.discard);
    const events: PostedEvent[] = [registered('long', day('01-01'))];
    for (let i = 0; i < 100; i++) {
      const time = new Date(Date.parse(day('01-02')) + i * 3_600_000).toISOString();
      events.push(i % 2 === 0 ? stopped('long', time) : resumed('long', time));
    }
    events.push(deleted('long', day('04-01')));
    for (let i = 0; i < 700; i++) events.push(registered(`c${i}`, day('01-01')));
    await it.postBatch(events);
    const path = '/v1/accounts/acme/usage/explain?period=2026-01';
    const { body, headers } = await it.get(path);
    expect(body.clusters).toHaveLength(701);
    await it.record(registered('of-another', day('02-01'), 'globex'));
    const known = { 'if-none-match': String(headers.get('etag')) };
    expect(await it.get(path, known)).toMatchObject({ status: 304, text: '' });
    await it.record(stopped('c1', day('01-02')));
    expect((await it.get(path, known)).status).toBe(200);
    expect(milliseconds(body.clusters)).toBe(milliseconds([body.usage]));
    const long = body.clusters.at(-1);
    expect(long.intervals).toHaveLength(51);
    const { openedBy, closedBy } = long.intervals.at(-1);
    expect([openedBy.position, closedBy.position]).toEqual(['101', '102']);
    expect([openedBy.id, closedBy.id]).toEqual([events[100]?.id, events[101]?.id]);
  });
});
