import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { Interval } from '../../../src/domain/billing/billing.ts';
import { parseSeconds } from '../../../src/domain/billing/quantity.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../../src/domain/stream-table.ts';
import { DAY_MS, periodWindow, type Window } from '../../../src/domain/time.ts';
import type { NewEvent } from '../../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { eventId } from '../../../src/ledger/event-id.ts';
import { PeriodClosingStore } from '../../../src/ledger/period-closing-store.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { statementsInTurns, type Tally, tally } from '../../../src/projections/queries/period-statements.ts';
import { BILLED_TABLE, CLOSE } from '../peers/close.ts';
import { type Bench, NO_POSTGRES, type Row } from '../support/bench.ts';
import { copyInto } from '../support/copy.ts';
import { modelFrom, modelOf } from '../support/intervals.ts';
import { appendFacts, clusterName, type LogSize, logFile, logSize } from '../support/log.ts';
import { type Contender, interleaved, measuredAlone, milliseconds } from '../support/measure.ts';
import { load, type Server, startLedger } from '../support/processes.ts';
import { type Result, sooner, timeAgainst, within } from '../support/report.ts';

/** Long past, so that each of them, and those after, are due. */
const EARLIER = ['2024-02', '2024-03', '2024-04'] as const;
const PERIOD = '2024-05';
const DAYS: Window = { from: periodWindow(EARLIER[0]).from, to: periodWindow(PERIOD).to };
/** Those that are closed while events are posted. */
const CLOSED_MEANWHILE = [
  PERIOD,
  '2024-06',
  '2024-07',
  '2024-08',
  '2024-09',
  '2024-10',
  '2024-11',
  '2024-12',
];
const CONNECTIONS = 16;

/**
 * Row 9: closing a month of which three earlier ones have to be adjusted: in three clusters of ten a stop of a day in one of
 * them became known since they were closed. PostgreSQL has the billed intervals, with what was known when, all in memory.
 * Both digest all statements. The floor copies and digests lines of their size. Then, over HTTP, months are closed one after
 * the other while events are posted.
 */
export const closePeriod: Row = {
  number: 9,
  async run(bench) {
    const size: LogSize = { ...logSize(bench), days: DAYS };
    const folder = await bench.newFolder('close');
    await writeLedger(bench, folder, size);
    const model = await modelOf(folder);
    const closed = await measured(bench, model, size);
    return [closed, await meanwhile(bench, folder)];
  },
};

/** A ledger of which three periods are closed, and facts for each of them came late. */
async function writeLedger(bench: Bench, folder: string, size: LogSize): Promise<void> {
  bench.say(`writing a log of ${size.clusters * size.factsPerCluster} facts, and three closes`);
  const store = await SqliteStore.open(logFile(folder));
  await appendFacts(store, size);
  const model = await modelFrom(store);
  const now = () => Date.parse('2024-06-10T00:00:00.000Z');
  const closes = new PeriodClosingStore(store, now);
  const watermark = model.position;
  for (const [i, period] of EARLIER.entries()) {
    const earlier = EARLIER.slice(0, i).map((other) => ({ period: other, watermark }));
    const worked = await tally(statementsInTurns(model, { period, watermark, earlier }));
    await closes.record({ period, watermark, ...worked }, 'bench');
  }
  const appends: Promise<unknown>[] = [];
  for (let cluster = 0; cluster < size.clusters; cluster++) {
    const period = EARLIER[cluster % 10];
    if (period === undefined) continue;
    const late = lateEvents(clusterName(cluster), period, now());
    appends.push(store.append(clusterStream(clusterName(cluster)), late, size.factsPerCluster - 1));
  }
  await Promise.all(appends);
  await store.close();
}

/** A day without billing in the middle of a period. */
function lateEvents(clusterId: string, period: string, recordedAt: number): NewEvent[] {
  const middle = periodWindow(period).from + 15 * DAY_MS;
  return (['BillingStopped', 'BillingResumed'] as const).map((type, i) => {
    const fact: Fact = { type, clusterId, effectiveAt: middle + i * DAY_MS, cause: 'unreachable' };
    const origin = { source: 'https://fleet.example/late', id: `late-${i}`, actor: 'loopback' };
    const id = eventId(clusterStream(clusterId), origin.source, origin.id);
    return { id, ...serializeFact(fact, origin), recordedAt } as NewEvent;
  });
}

async function measured(bench: Bench, model: LedgerModel, size: LogSize): Promise<Result> {
  const earlier = [...model.closedPeriods.all];
  const question = { period: PERIOD, watermark: model.position, earlier };
  const lines: string[] = [];
  const worked = await tally(
    statementsInTurns(model, question),
    (_, canonical) => void lines.push(canonical),
  );
  const contenders: Contender[] = [
    { name: 'ours', measure: () => milliseconds(() => tally(statementsInTurns(model, question))) },
    { name: 'digesting the lines', measure: () => milliseconds(() => digestOf(lines)) },
  ];
  const postgres = await bench.postgres();
  const client = await postgres?.connect();
  if (client !== undefined) {
    await fillBilled(bench, client, model);
    await compare(client, model, worked);
    contenders.push({ name: 'PostgreSQL', measure: () => milliseconds(() => closeBySql(client, model)) });
  }
  const [ours, floor, peer] = await interleaved(contenders, 2 * bench.rounds, bench);
  await client?.end();
  if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
  return {
    row: '9',
    work: `close a month of ${size.accounts} accounts, ${size.clusters} clusters, three earlier ones adjusted`,
    unit: 'ms',
    ours,
    floor,
    peers: peer === undefined ? [] : [peer],
    verdicts: [...(peer === undefined ? [] : [sooner(ours, peer, 5)]), timeAgainst(ours, floor)],
    notes: peer === undefined ? [NO_POSTGRES] : [],
  };
}

function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
}

/** Fills a table with the intervals known at the last watermark and those known now. */
async function fillBilled(bench: Bench, client: pg.Client, model: LedgerModel): Promise<void> {
  bench.say('  copying the intervals to PostgreSQL');
  await client.query(`DROP TABLE IF EXISTS billed; ${BILLED_TABLE}`);
  const types = ['text', 'integer', 'bigint', 'bigint', 'integer', 'integer'];
  await copyInto(client, 'billed', types, billedRows(model));
}

function* billedRows(model: LedgerModel): Generator<unknown[]> {
  const before = model.closedPeriods.last?.watermark ?? 0;
  const after = model.position;
  for (const cluster of model.clusters.texts.keys()) {
    const [is, was] = [model.intervals(cluster, after), model.intervals(cluster, before)];
    const key = ({ accountId, from, to }: Interval) => `${accountId} ${from} ${to}`;
    const [wasKeys, isKeys] = [new Set(was.map(key)), new Set(is.map(key))];
    for (const each of was)
      yield [each.accountId, cluster, each.from, each.to, 1, isKeys.has(key(each)) ? null : before + 1];
    for (const each of is)
      if (!wasKeys.has(key(each))) yield [each.accountId, cluster, each.from, each.to, before + 1, null];
  }
}

async function closeBySql(client: pg.Client, model: LedgerModel) {
  const periods = [...EARLIER, PERIOD];
  const windows = periods.map(periodWindow);
  const values = [
    model.closedPeriods.last?.watermark,
    model.position,
    PERIOD,
    periods,
    windows.map(({ from }) => from),
    windows.map(({ to }) => to),
  ];
  const { rows } = await client.query({ name: 'close', text: CLOSE, values });
  return rows[0] as { accounts: number; clusters: number; ms: string };
}

/** Both must come to the same. */
async function compare(client: pg.Client, model: LedgerModel, { accounts, totals }: Tally): Promise<void> {
  const sql = await closeBySql(client, model);
  const isSame =
    sql.accounts === accounts &&
    sql.clusters === totals.billableClusters &&
    BigInt(sql.ms) === parseSeconds(totals.clusterSeconds);
  if (!isSame) throw new Error(`PostgreSQL closes with ${JSON.stringify(sql)}, and we with other totals`);
}

/** The latency of ingest alone, and while months are closed one after the other. */
async function meanwhile(bench: Bench, folder: string): Promise<Result> {
  const server = await startLedger(bench, folder);
  await untilReady(server);
  await trustClock(server);
  const post = (tag: string) =>
    load(bench, server, { connections: CONNECTIONS, work: { kind: 'events', tag, perRequest: 1 } });
  await post('w9');
  const alone = measuredAlone('ingest alone', [await post('a9')]);
  const closing = closeAll(server);
  const ours = measuredAlone('ours', [await post('m9')]);
  const closes = await closing;
  await server.stop();
  bench.say(
    `  ${closes.length} months closed meanwhile, in ${closes.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  );
  return {
    row: '9a',
    work: `ingest over ${CONNECTIONS} connections while months are closed`,
    unit: 'events/s',
    ours,
    floor: alone,
    peers: [],
    verdicts: [within('p99 of the ledger, ms', ours.latencyMs?.p99 ?? Number.NaN, 25, 'ms')],
    notes: [`without a close the p99 is ${alone.latencyMs?.p99.toFixed(1)} ms`],
  };
}

/** Waits until the ledger has read its log, and has compared what was closed before. */
async function untilReady({ port }: Server): Promise<void> {
  for (;;) {
    const { status, checks } = (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()) as Readiness;
    if (status === 'ready' && checks.statements.detail.startsWith(`${EARLIER.length} of`)) return;
    await wait(100);
  }
}

/** Confirms the time of this machine: the log was recorded in another year, so that nothing would be closed otherwise. */
async function trustClock({ port }: Server): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/clock/trust`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'the log of the benchmark is of an earlier year' }),
  });
  if (!answer.ok) throw new Error(`the time was not confirmed: ${await answer.text()}`);
}

interface Readiness {
  readonly status: string;
  readonly checks: { readonly statements: { readonly detail: string } };
}

/** @returns how long each took, in ms. */
async function closeAll({ port }: Server): Promise<number[]> {
  const took: number[] = [];
  for (const period of CLOSED_MEANWHILE) {
    const start = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/periods/${period}/close`, { method: 'POST' });
    if (answer.status !== 200) throw new Error(`${period} was not closed: ${await answer.text()}`);
    took.push(performance.now() - start);
  }
  return took;
}
