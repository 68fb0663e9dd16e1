import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { NO_CREDENTIAL, REFUSED, TestValidator } from '../support/validator.ts';

const MINUTE = 60_000;

async function watched(): Promise<{ ledger: TestLedger; validator: TestValidator }> {
  const ledger = await ledgerForTest();
  for (const id of ['c1', 'c2', 'c3']) await ledger.record(registered(id, '2026-04-10T00:00:00.000Z'));
  return { ledger, validator: new TestValidator(ledger) };
}
const settings = {
  stopNeverSeen: true,
  unreachableAfter: 1,
  unreachableFor: '0m',
  stopAfter: '0m',
  version: 'v1',
};
const decide = (ledger: TestLedger, body: object) =>
  ledger.fetch('/v1/validator/decisions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('a run shows its changed verdicts and its conclusions', async () => {
  const { ledger, validator } = await watched();
  await validator.run();
  ledger.pass(5 * MINUTE);
  await validator.run({ c1: REFUSED, c2: NO_CREDENTIAL }, { settings });
  const { body } = await ledger.get('/v1/validations/20260415T120500.000Z');
  expect(body).toMatchObject({
    id: '20260415T120500.000Z',
    state: 'completed',
    trigger: 'schedule',
    by: 'test',
    shard: '1of1',
    result: {
      counts: { alive: 1, unreachable: 1, unknown: 0, unverifiable: 1 },
      changed: 2,
      facts: 2,
      wouldHave: 0,
      raised: 1,
      breaker: { open: false },
      full: true,
    },
    verdicts: [
      {
        clusterId: 'c1',
        state: 'unreachable',
        code: 'refused',
        at: '2026-04-15T12:05:00.000Z',
        detail: 'connect ECONNREFUSED',
      },
      { clusterId: 'c2', state: 'unverifiable', code: 'no-credential', at: '2026-04-15T12:05:00.000Z' },
    ],
    facts: [
      { clusterId: 'c1', type: 'ClusterUnreachable' },
      { clusterId: 'c1', type: 'BillingStopped' },
    ],
    raised: [{ kind: 'unverifiable', subject: 'c2' }],
    resolved: [],
  });
  const page = await ledger.get('/v1/validations/20260415T120500.000Z?limit=1');
  expect(page.body.verdicts).toEqual(body.verdicts.slice(0, 1));
  const rest = await ledger.get(`/v1/validations/20260415T120500.000Z?limit=1&cursor=${page.body.next}`);
  expect(rest.body.verdicts).toEqual(body.verdicts.slice(1));
  expect(rest.body.next).toBeUndefined();
  const events = await ledger.get('/v1/clusters/c1/events');
  expect(events.body.items.at(-1)).toMatchObject({
    type: 'io.clusterledger.billing.stopped.v1',
    source: 'urn:cluster-ledger:validator',
    id: '20260415T120500.000Z/c1/BillingStopped',
    time: '2026-04-15T12:00:00.000Z',
    data: { cause: 'unreachable', policy: 'default@v1', evidence: { count: 1, codes: { refused: 1 } } },
  });
});

test('runs are listed latest first, page by page, with active and abandoned runs marked', async () => {
  const { ledger, validator } = await watched();
  await validator.run({}, { upTo: 'claimed' });
  expect((await ledger.get('/v1/validator')).body.running).toMatchObject([
    { state: 'running', progress: { done: 0 } },
  ]);
  ledger.pass(5 * MINUTE);
  await validator.run();
  ledger.pass(5 * MINUTE);
  await validator.run();
  const { body } = await ledger.get('/v1/validations');
  expect(body.items.map(({ id, state }: { id: string; state: string }) => [id.slice(9, 13), state])).toEqual([
    ['1210', 'completed'],
    ['1205', 'completed'],
    ['1200', 'abandoned'],
  ]);
  expect(body.items[2].abandoned).toBe('late');
  const first = await ledger.get('/v1/validations?limit=2');
  expect((await ledger.get(`/v1/validations?cursor=${first.body.next}`)).body.items).toEqual(
    body.items.slice(2),
  );
  for (const id of ['nonsense', '20260415T120001.000Z'])
    expect((await ledger.get(`/v1/validations/${id}`)).status).toBe(404);
});

test('a run in observe mode shows the facts that it did not record, with their evidence', async () => {
  const { ledger, validator } = await watched();
  await validator.run({ c1: REFUSED }, { settings: { ...settings, mode: 'observe' } });
  const { body } = await ledger.get('/v1/validations/20260415T120000.000Z');
  expect(body.wouldHave).toMatchObject([
    { type: 'ClusterUnreachable', clusterId: 'c1', evidence: { codes: { refused: 1 } } },
    {
      type: 'BillingStopped',
      clusterId: 'c1',
      cause: 'unreachable',
      effectiveAt: '2026-04-15T12:00:00.000Z',
    },
  ]);
  expect((await ledger.get('/v1/clusters/c1')).body.status).toBe('billed');
});

test('an operator keeps runs effective during an outage, and cancels the decision', async () => {
  const { ledger, validator } = await watched();
  const all = { c1: REFUSED, c2: REFUSED, c3: REFUSED };
  await validator.runs(5, all, { settings });
  const { body } = await ledger.get('/v1/validator');
  expect(body).toMatchObject({
    shards: [
      { shard: '1of1', clusters: 3, conditions: 1, breaker: { open: true, why: 'all', bad: 3, of: 3 } },
    ],
    running: [],
    decision: null,
  });
  const decided = await decide(ledger, { proceedForHours: 2, note: 'they are gone' });
  expect(decided.body.decision).toEqual({
    until: '2026-04-15T14:10:00.000Z',
    by: 'loopback',
    note: 'they are gone',
  });
  await decide(ledger, { proceedForHours: 0 });
  expect((await validator.run(all, { settings }))?.facts).toEqual([]);
  ledger.pass(5 * MINUTE);
  await decide(ledger, { proceedForHours: 1 });
  expect((await validator.run(all, { settings }))?.facts).toHaveLength(6);
  expect((await decide(ledger, { proceedForHours: 169 })).status).toBe(400);
});

test('facts of an interrupted run are not recorded twice', async () => {
  const { ledger, validator } = await watched();
  await validator.run({ c1: REFUSED }, { settings, upTo: 'judged' });
  ledger.pass(5 * MINUTE);
  const next = await validator.run({ c1: REFUSED }, { settings });
  expect(next?.facts).toEqual([]);
  expect((await ledger.get('/v1/clusters/c1')).body).toMatchObject({
    status: 'stopped',
    stoppedBy: ['unreachable'],
  });
});
