import { expect, test } from 'vitest';
import { deleted, registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

const close = (ledger: TestLedger, period: string, command?: object) =>
  ledger.fetch(`/v1/periods/${period}/close`, {
    method: 'POST',
    ...(command !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(command),
    }),
  });
const problem = (code: string) => `urn:cluster-ledger:problem:${code}`;

async function since(first: string, now: string): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now });
  await ledger.record(registered('c1', first), registered('c2', first, 'globex'));
  return ledger;
}

test('periods are listed from the first one with a fact to the current one, each with its state', async () => {
  const ledger = await since('2026-01-10T00:00:00.000Z', '2026-04-02T00:00:00.000Z');
  expect((await close(ledger, '2026-01')).status).toBe(200);
  const { body } = await ledger.get('/v1/periods');
  expect(body.items.map(({ period, state }: { period: string; state: string }) => [period, state])).toEqual([
    ['2026-01', 'closed'],
    ['2026-02', 'due'],
    ['2026-03', 'open'],
    ['2026-04', 'open'],
  ]);
  const first = await ledger.get('/v1/periods?limit=1');
  expect(first.body.items).toEqual(body.items.slice(0, 1));
  const rest = await ledger.get(`/v1/periods?cursor=${first.body.next}`);
  expect(rest.body.items).toEqual(body.items.slice(1));
  expect((await ledger.get('/v1/periods/2026-01')).body).toEqual({
    period: '2026-01',
    state: 'closed',
    window: { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' },
    dueAt: '2026-02-04T00:00:00.000Z',
    close: {
      watermark: '2',
      accounts: 2,
      totals: { billableClusters: 2, clusterSeconds: '3801600.000' },
      statementsDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      rules: 2,
      position: '3',
      closedAt: '2026-04-02T00:00:00.000Z',
    },
  });
  expect((await ledger.get('/v1/periods/2026-03')).body).toMatchObject({ state: 'open', close: null });
});

test('an account without usage has no statement, which is said, and not that the account is unknown', async () => {
  const ledger = await since('2026-02-10T00:00:00.000Z', '2026-04-02T00:00:00.000Z');
  await ledger.record(registered('c3', '2026-03-01T00:00:00.000Z', 'initech'));
  await close(ledger, '2026-02');
  const { status, body } = await ledger.get('/v1/periods/2026-02/statements/initech');
  expect([status, body.type, body.detail]).toEqual([
    404,
    problem('not-found'),
    'account initech has no statement for 2026-02: it was not billed then and nothing is adjusted',
  ]);
});

test('a period before the first fact, after the current one, or without any facts is not found', async () => {
  const empty = await ledgerForTest();
  expect((await empty.get('/v1/periods')).body).toEqual({ items: [] });
  expect((await empty.get('/v1/periods/2026-01')).status).toBe(404);
  expect((await close(empty, '2026-01')).body).toMatchObject({ type: problem('period-not-next') });
  const ledger = await since('2026-01-10T00:00:00.000Z', '2026-04-02T00:00:00.000Z');
  for (const period of ['2025-12', '2026-05', '1970-01'])
    expect((await ledger.get(`/v1/periods/${period}`)).body.type).toBe(problem('not-found'));
  expect((await ledger.get('/v1/periods/2026-13')).status).toBe(400);
});

test('closing a period too early is rejected, and nothing is written', async () => {
  const ledger = await since('2026-02-10T00:00:00.000Z', '2026-03-02T00:00:00.000Z');
  const refusals: [string, object | undefined, string, string][] = [
    ['2026-03', { early: true }, 'period-not-ended', '/path/period'],
    ['2026-01', undefined, 'period-not-next', '/path/period'],
    ['2026-02', {}, 'period-in-grace', '/early'],
    ['2026-02', undefined, 'period-in-grace', '/early'],
    ['2026-02', { early: 'yes' }, 'invalid-request', '/early'],
    ['2026-02', { force: true }, 'invalid-request', '/force'],
  ];
  for (const [period, command, code, pointer] of refusals) {
    const { body, status } = await close(ledger, period, command);
    expect(body, code).toMatchObject({ type: problem(code), errors: [{ pointer }] });
    expect(status).toBe(code === 'invalid-request' ? 400 : 409);
  }
  expect((await close(ledger, '2026-01')).body.detail).toContain('the next is 2026-02');
  expect(await ledger.head()).toBe(2);
  const early = await close(ledger, '2026-02', { early: true });
  expect(early.body).toMatchObject({ outcome: 'closed', period: '2026-02' });
  expect((await close(ledger, '2026-02')).text).toBe(early.text);
});

test('a dry run returns the statements, also in the grace period, and writes nothing', async () => {
  const ledger = await since('2026-02-10T00:00:00.000Z', '2026-04-02T00:00:00.000Z');
  await close(ledger, '2026-02');
  const [late] = await ledger.record(deleted('c1', '2026-02-20T00:00:00.000Z'));
  const head = await ledger.head();
  const { body, status } = await close(ledger, '2026-03', { dryRun: true });
  expect(status).toBe(200);
  expect(body).toMatchObject({ outcome: 'would-close', period: '2026-03', watermark: '5', accounts: 2 });
  expect(body.statements[0]).toMatchObject({
    accountId: 'acme',
    adjustments: [{ period: '2026-02', facts: [late?.eventId], delta: { clusterSeconds: '-777600.000' } }],
  });
  expect(await ledger.head()).toBe(head);
  expect((await ledger.get('/v1/periods/2026-03/statements')).status).toBe(404);

  const closed = await close(ledger, '2026-03', { early: true });
  expect(closed.body.statementsDigest).toBe(body.statementsDigest);
  const { items } = (await ledger.get('/v1/periods/2026-03/statements')).body;
  const { closedAt } = closed.body;
  expect(items).toEqual(body.statements.map((statement: object) => ({ ...statement, closedAt })));
  expect((await close(ledger, '2026-03', { dryRun: true })).text).toBe(closed.text);
});

test('statements are available as JSON, CSV and NDJSON, page by page, and one by one, with strong ETags', async () => {
  const ledger = await since('2026-02-10T00:00:00.000Z', '2026-04-15T00:00:00.000Z');
  await close(ledger, '2026-02');
  const [late] = await ledger.record(deleted('c1', '2026-02-20T00:00:00.000Z'));
  await close(ledger, '2026-03');
  const path = '/v1/periods/2026-03/statements';
  const all = await ledger.get(path);
  expect(all.headers.get('etag')).toMatch(/^"[\w-]+"$/);
  const again = await ledger.get(path, { 'if-none-match': all.headers.get('etag') as string });
  expect(again.status).toBe(304);

  const one = await ledger.get(`${path}?limit=1`);
  expect(one.body.items).toEqual(all.body.items.slice(0, 1));
  expect((await ledger.get(`${path}?cursor=${one.body.next}`)).body.items).toEqual(all.body.items.slice(1));
  expect((await ledger.get(`${path}/globex`)).body).toEqual(all.body.items[1]);
  expect((await ledger.get(`${path}/nobody`)).body.type).toBe(problem('not-found'));

  const lines = (await ledger.get(path, { accept: 'application/x-ndjson' })).text.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(all.body.items);
  const csv = (await ledger.get(path, { accept: 'text/csv' })).text.split('\r\n');
  const [acme, globex] = all.body.items.map(({ statementId }: { statementId: string }) => statementId);
  const of = (account: string, id: string, line: number) =>
    `${id},${id}_${line},${account},2026-03,5,2026-04-15T00:00:00.000Z`;
  expect(csv).toEqual([
    'statementId,lineId,accountId,period,watermark,closedAt,line,of,clusterType,billableClusters,clusterSeconds,clusterMilliseconds,peakClusters,clustersAtStart,clustersAtEnd,averageClusters,facts',
    `${of('acme', acme, 1)},usage,2026-03,*,0,0,0,0,0,0,0.000000,`,
    `${of('acme', acme, 2)},adjustment,2026-02,*,0,-777600,-777600000,,,,,${late?.eventId}`,
    `${of('acme', acme, 3)},adjustment,2026-02,,0,-777600,-777600000,,,,,`,
    `${of('acme', acme, 4)},total,2026-03,*,0,-777600,-777600000,,,,,`,
    `${of('acme', acme, 5)},total,2026-03,,0,-777600,-777600000,,,,,`,
    `${of('globex', globex, 1)},usage,2026-03,*,1,2678400,2678400000,1,1,1,1.000000,`,
    `${of('globex', globex, 2)},usage,2026-03,,1,2678400,2678400000,1,1,1,1.000000,`,
    `${of('globex', globex, 3)},total,2026-03,*,1,2678400,2678400000,,,,,`,
    `${of('globex', globex, 4)},total,2026-03,,1,2678400,2678400000,,,,,`,
    '',
  ]);
  expect((await ledger.get(path, { accept: 'image/png' })).status).toBe(406);
});

test('periods and statements with asOf are as they were known at the position', async () => {
  const ledger = await since('2026-01-10T00:00:00.000Z', '2026-04-02T00:00:00.000Z');
  await close(ledger, '2026-01');
  ledger.pass(60_000);
  await ledger.record(registered('c3', '2025-12-31T00:00:00.000Z'));
  await close(ledger, '2026-02');
  const items = async (query: string) => {
    const { body } = await ledger.get(`/v1/periods?${query}`);
    return body.items.map(({ period, state }: { period: string; state: string }) => `${period} ${state}`);
  };
  expect(await items('asOf=0')).toEqual([]);
  expect(await items('asOf=2')).toEqual(['2026-01 due', '2026-02 due', '2026-03 open', '2026-04 open']);
  expect(await items('asOf=2026-04-02T00:00:30.000Z&limit=2')).toEqual(['2026-01 closed', '2026-02 due']);
  expect(await items('limit=2')).toEqual(['2026-01 closed', '2026-02 closed']);
  for (const path of ['', '/statements', '/statements/acme']) {
    const now = await ledger.get(`/v1/periods/2026-02${path}`);
    expect((await ledger.get(`/v1/periods/2026-02${path}?asOf=5`)).text).toBe(now.text);
    const then = await ledger.get(`/v1/periods/2026-02${path}?asOf=4`);
    if (path === '') expect(then.body).toMatchObject({ state: 'due', close: null });
    else {
      expect(then.body).toMatchObject({ type: problem('not-found') });
      expect(then.body.detail).toBe('2026-02 was closed at position 5; it was not closed at position 4');
    }
    for (const asOf of ['6', '-1', '1.0', '2026-04-02']) {
      const { status, body } = await ledger.get(`/v1/periods/2026-02${path}?asOf=${asOf}`);
      expect([status, body.errors[0].pointer]).toEqual([400, '/query/asOf']);
    }
  }
  expect((await ledger.get('/v1/periods/2026-01?asOf=0')).status).toBe(404);
});
