import { request } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Player } from '../e2e/player.ts';
import { type OracleFact, usageAt } from '../oracle/oracle.ts';
import { deleted, type PostedEvent, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, openLedger, type TestLedger } from '../support/ledger.ts';
import { ACCOUNTS, historyOf, MONTHS } from '../support/random-posts.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';

interface Line {
  readonly position: string;
  // biome-ignore lint/suspicious/noExplicitAny: a CloudEvent of any type.
  readonly fact: any;
  readonly usage: object;
  readonly delta: { readonly billableClusters: number; readonly clusterSeconds: string };
}

async function replayOf(ledger: TestLedger, accountId: string, query: string): Promise<Line[]> {
  const { status, text, headers } = await ledger.get(`/v1/accounts/${accountId}/replay?${query}`);
  expect(status, text).toBe(200);
  expect(headers.get('content-type')).toBe('application/x-ndjson');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const day = (of: string) => `2026-${of}T00:00:00.000Z`;

test('a replay returns the facts of an account in recorded order, with the change by each', async () => {
  const ledger = await ledgerForTest();
  const [first] = await ledger.record(registered('c1', day('03-01')));
  await ledger.record(registered('other', day('03-01'), 'globex'), registered('c2', day('03-31')));
  ledger.pass(60_000);
  const [, deletion] = await ledger.record(stopped('c1', day('03-11')), deleted('c1', day('03-06')));
  await ledger.record(voided('c1', day('03-06'), deletion?.eventId ?? ''));
  const lines = await replayOf(ledger, 'acme', 'period=2026-03');
  const deltas = lines.map(({ position, fact, delta }) => [
    position,
    fact.type.slice('io.clusterledger.'.length, -'.v1'.length),
    delta.billableClusters,
    delta.clusterSeconds,
  ]);
  expect(deltas).toEqual([
    ['1', 'cluster.registered', 1, `${31 * 86_400}.000`],
    ['3', 'cluster.registered', 1, '86400.000'],
    ['4', 'billing.stopped', 0, `-${21 * 86_400}.000`],
    ['5', 'cluster.deleted', 0, `-${5 * 86_400}.000`],
    ['6', 'billing.stopped', 0, '0.000'],
    ['7', 'fact.voided', 0, `${5 * 86_400}.000`],
    ['8', 'billing.resumed', 0, '0.000'],
  ]);
  const { proof: _, ...recorded } = (await ledger.get(`/v1/events/${first?.eventId}`)).body;
  expect(lines[0]?.fact).toEqual(recorded);
  const { body } = await ledger.get('/v1/accounts/acme/usage?period=2026-03');
  expect(lines.at(-1)?.usage).toEqual(body.usage);
  expect(await replayOf(ledger, 'acme', 'period=2026-03&asOf=4')).toEqual(lines.slice(0, 3));
  const then = '2026-04-15T12:00:30.000Z';
  expect(await replayOf(ledger, 'acme', `period=2026-03&asOf=${then}`)).toEqual(lines.slice(0, 2));
  expect(await replayOf(ledger, 'acme', 'period=2026-03&asOf=0')).toEqual([]);
});

test.each([
  ['/v1/accounts/acme/replay', 400, '/query/period'],
  ['/v1/accounts/acme/replay?period=2026-3', 400, '/query/period'],
  ['/v1/accounts/acme/replay?period=2026-03&asOf=2', 400, '/query/asOf'],
  ['/v1/accounts/acme/replay?period=2026-03&asOf=01', 400, '/query/asOf'],
  ['/v1/accounts/acme/replay?period=2026-03&limit=1', 400, '/query/limit'],
  ['/v1/accounts/acme/replay?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z', 400, '/query/to'],
  ['/v1/accounts/%00/replay?period=2026-03', 400, '/path/accountId'],
  ['/v1/accounts/nobody/replay?period=2026-03', 404, undefined],
])('%s is refused with %i, before anything is sent', async (path, status, pointer) => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', day('03-01')));
  const answer = await ledger.get(path);
  expect(answer.status).toBe(status);
  expect(answer.body.errors?.[0].pointer).toBe(pointer);
});

describe.each(stores)('on $name', ({ connection }) => {
  test('folding the facts of a replay gives the usage that the replay reports after each fact', async () => {
    const ledger = await openLedger({ store: connection });
    onTestFinished(ledger.discard);
    const player = new Player(ledger);
    for (const post of historyOf(4)) await player.play(post);
    for (const accountId of ACCOUNTS) {
      for (const period of MONTHS.slice(1, 5)) {
        const lines = await replayOf(ledger, accountId, `period=${period}`);
        const facts: OracleFact[] = [];
        const from = BigInt(Date.parse(`${period}-01`));
        const { body } = await ledger.get(`/v1/accounts/${accountId}/usage?period=${period}`);
        const through = BigInt(Date.parse(body.through));
        for (const { position, fact, usage } of lines) {
          facts.push(oracleFact(fact, Number(position)));
          expect(usageAt(facts, Number(position), accountId, [from, through], through)).toEqual(usage);
        }
        if (lines.length > 0) expect(lines.at(-1)?.usage).toEqual(body.usage);
        const some = lines[Math.floor(lines.length / 2)];
        const then = await ledger.get(
          `/v1/accounts/${accountId}/usage?period=${period}&asOf=${some?.position ?? 0}`,
        );
        if (some !== undefined) expect(some.usage).toEqual(then.body.usage);
      }
    }
  });
});

const TYPES: Readonly<Record<string, string>> = {
  'io.clusterledger.cluster.registered.v1': 'ClusterRegistered',
  'io.clusterledger.cluster.changed.v1': 'ClusterChanged',
  'io.clusterledger.cluster.deleted.v1': 'ClusterDeleted',
  'io.clusterledger.billing.stopped.v1': 'BillingStopped',
  'io.clusterledger.billing.resumed.v1': 'BillingResumed',
  'io.clusterledger.fact.voided.v1': 'FactVoided',
};

function oracleFact(fact: Line['fact'], position: number): OracleFact {
  return {
    ...fact.data,
    eventId: fact.ledgereventid,
    position,
    clusterId: fact.subject,
    type: TYPES[fact.type] ?? fact.type,
    effectiveAt: BigInt(Date.parse(fact.time)),
  };
}

/** An account with so many facts that no socket takes their replay at once. */
async function longHistory(): Promise<TestLedger> {
  const ledger = await ledgerForTest();
  const reason = 'x'.repeat(900);
  for (let batch = 0; batch < 8; batch++) {
    const events: PostedEvent[] = [];
    for (let i = 0; i < 1_000; i++) {
      const n = batch * 1_000 + i;
      const time = new Date(Date.parse(day('01-01')) + n * 60_000).toISOString();
      const clusterId = `c${n % 10}`;
      if (n < 10) events.push(registered(clusterId, time));
      else {
        const event = n % 20 < 10 ? stopped(clusterId, time) : resumed(clusterId, time);
        events.push({ ...event, data: { ...event.data, reason } });
      }
    }
    await ledger.postBatch(events);
  }
  return ledger;
}

test('a replay waits for its reader, ends when the reader disconnects, and does not delay closing', async () => {
  const ledger = await longHistory();
  let reads = 0;
  const { store } = ledger.rooms;
  const readStream = store.readStream.bind(store);
  store.readStream = (...given) => {
    reads++;
    return readStream(...given);
  };
  const path = '/v1/accounts/acme/replay?period=2026-01';
  const whole = await ledger.get(path);
  expect(whole.text.split('\n')).toHaveLength(8_001);
  const inAll = reads;
  reads = 0;

  const sent = request({ port: ledger.port, host: '127.0.0.1', path, agent: false });
  const { promise, resolve } = Promise.withResolvers<void>();
  sent.on('response', (response) => {
    response.once('readable', resolve);
  });
  sent.on('error', () => undefined);
  sent.end();
  await promise;
  // Nobody reads on: what is played stops growing, well before the end.
  let seen = -1;
  await until(async () => {
    const before = seen;
    seen = reads;
    await ledger.get('/livez');
    return seen > 0 && before === seen;
  });
  expect(seen).toBeLessThan(inAll);
  sent.destroy();
  await ledger.get('/v1/accounts/acme');
  expect(reads).toBeLessThan(inAll);
  await ledger.close();
});
