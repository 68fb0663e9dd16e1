import type { Fact } from '../../src/domain/facts/fact.ts';
import { serializeFact } from '../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { eventId } from '../../src/ledger/event-id.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { decodeModel, encodeModel } from '../../src/projections/model/snapshot.ts';
import { usageByAccount } from '../../src/projections/queries/account-usage.ts';
import { explainUsage } from '../../src/projections/queries/explain-usage.ts';
import { statementsOf } from '../../src/projections/queries/period-statements.ts';
import { GrowingLedger } from './support/growing-ledger.ts';
import { FIRST_DAY, MONTH, MONTH_WINDOW, NOW } from './support/log.ts';

/** A log of one shape. Every account has ten clusters, if there are as many. */
interface Shape {
  readonly facts: number;
  readonly clusters: number;
}

/** Microseconds of CPU of this process, of all its threads, for one fact or for one answer. */
export interface Growth extends Shape {
  /** One of the last tenth of the log, posted in batches of 1,000: to the store, the projections and the tree of the log. */
  readonly ingestFact: number;
  /** The evidence of an account, for each of its facts. */
  readonly evidenceOfFact: number;
  readonly applyFact: number;
  readonly usageOfFact: number;
  /** Usage of the same month again, of all accounts, for one account. */
  readonly usageAgainOfAccount: number;
  readonly usageAsOfFact: number;
  readonly statementsOfFact: number;
  readonly explainOfFact: number;
  readonly snapshotOfFact: number;
  readonly restoreOfFact: number;
  /** One late stop for a cause that no other fact mentions, or its end. */
  readonly lateFact: number;
}

const CLUSTERS_OF_ACCOUNT = 10;
const LATE_FACTS = 100;
const BATCH = 1_000;

const MORE_FACTS: readonly Shape[] = [1_000, 10_000, 100_000].map(tenEach);
const VERY_MANY_FACTS: readonly Shape[] = [1_000_000, 10_000_000].map(tenEach);
const LONGER_HISTORIES: readonly Shape[] = [100_000, 100, 1].map((clusters) => ({
  facts: 100_000,
  clusters,
}));

function tenEach(facts: number): Shape {
  return { facts, clusters: facts / 10 };
}

/** Measures how the cost of the ledger grows with the log, and with the facts of a cluster. */
export async function measureGrowth(full: boolean, say: (text: string) => void): Promise<Growth[]> {
  const shapes = [...MORE_FACTS, ...LONGER_HISTORIES, ...(full ? VERY_MANY_FACTS : [])];
  // The first one is measured twice, because the code is compiled meanwhile.
  await measured(shapes[1] as Shape);
  const growth: Growth[] = [];
  for (const shape of shapes) {
    const row = await measured(shape);
    growth.push(row);
    say(
      Object.entries(row)
        .map(([name, value]) => `${name} ${shortened(value)}`)
        .join(', '),
    );
  }
  return growth;
}

/** Prints a row for each shape. */
export function growthTable(growth: readonly Growth[]): string {
  const columns = Object.keys(growth[0] ?? {}) as (keyof Growth)[];
  const rows = [columns, ...growth.map((row) => columns.map((column) => shortened(row[column])))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  return rows
    .map((row) => `${row.map((cell, i) => cell.padStart(widths[i] as number)).join('  ')}\n`)
    .join('');
}

async function measured(shape: Shape): Promise<Growth> {
  const { facts, clusters } = shape;
  const per = async (count: number, work: () => unknown) => (1_000 * (await cpuMs(work))) / count;
  const ofOne = (facts * Math.min(clusters, CLUSTERS_OF_ACCOUNT)) / clusters;
  const { ingestFact, evidenceOfFact } = await measuredLedger(shape, ofOne);
  const model = new LedgerModel();
  let applyMs = 0;
  for (const events of inBatches(facts, (i) => eventOf(factAt(i, shape), i + 1, Math.floor(i / clusters))))
    applyMs += await cpuMs(() => {
      for (const event of events) model.apply(event);
    });
  const applyFact = (1_000 * applyMs) / facts;
  const question = { window: MONTH_WINDOW, through: NOW, asOf: model.position, byDay: false };
  const usage = (change: object = {}) => {
    for (const _ of usageByAccount(model, { ...question, ...change }));
  };
  for (const _ of model.prepare());
  const accounts = Math.ceil(clusters / CLUSTERS_OF_ACCOUNT);
  const usageOfFact = await per(facts, () => usage());
  const usageAgainOfAccount = await medianOf(() => per(accounts, () => usage({ through: NOW + 1 })));
  const usageAsOfFact = await per(facts, () => usage({ asOf: Math.floor(model.position * 0.9) }));
  const statements = { period: MONTH, watermark: model.position, earlier: [] };
  const statementsOfFact = await per(facts, () => {
    for (const _ of statementsOf(model, statements));
  });
  const explainOfFact = await medianOf(() => per(ofOne, () => explainUsage(model, 'account-0', question)));
  let snapshot: Buffer = Buffer.alloc(0);
  const snapshotOfFact = await per(facts, () => {
    snapshot = encodeModel(model);
  });
  const restoreOfFact = await medianOf(() => per(facts, () => decodeModel(snapshot)));
  const lateFact = await medianOf(() => {
    const late = Array.from({ length: LATE_FACTS }, (_, n) => lateEvent(n, model.position + 1 + n, shape));
    return per(LATE_FACTS, () => {
      for (const event of late) model.apply(event);
    });
  });
  return {
    ...shape,
    ...{
      ingestFact,
      evidenceOfFact,
      applyFact,
      usageOfFact,
      usageAgainOfAccount,
      usageAsOfFact,
      statementsOfFact,
    },
    ...{ explainOfFact, snapshotOfFact, restoreOfFact, lateFact },
  };
}

/** Measures three times. What takes microseconds is otherwise hidden by the garbage collector and the compiler. */
async function medianOf(measure: () => Promise<number>): Promise<number> {
  const values = [await measure(), await measure(), await measure()];
  return values.sort((a, b) => a - b)[1] as number;
}

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Posts the log to a ledger, and has it build evidence of an account of `ofOne` facts. */
async function measuredLedger(
  shape: Shape,
  ofOne: number,
): Promise<Pick<Growth, 'ingestFact' | 'evidenceOfFact'>> {
  const ledger = await GrowingLedger.open(NOW);
  try {
    let posted = 0;
    let lastMs = 0;
    let last = 0;
    for (const facts of inBatches(shape.facts, (i) => factAt(i, shape))) {
      const isLast = posted >= 0.9 * shape.facts;
      if (isLast && last === 0) await ledger.caughtUp();
      const ms = await cpuMs(() => ledger.post(facts));
      posted += facts.length;
      if (!isLast && posted < shape.facts) continue;
      lastMs += ms;
      last += facts.length;
    }
    lastMs += await cpuMs(() => ledger.caughtUp());
    const evidenceMs = await medianOf(() => cpuMs(() => ledger.evidence('account-0', MONTH)));
    return { ingestFact: (1_000 * lastMs) / last, evidenceOfFact: (1_000 * evidenceMs) / ofOne };
  } finally {
    await ledger.close();
  }
}

/** Yields items in batches, so that a long log is never in memory as a whole. */
function* inBatches<T>(count: number, itemAt: (i: number) => T): Generator<T[]> {
  for (let from = 0; from < count; from += BATCH)
    yield Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => itemAt(from + i));
}

/** The fact at a place of the log, from 0. The clusters take turns. */
function factAt(i: number, { facts, clusters }: Shape): Fact {
  const visits = facts / clusters;
  const [cluster, visit] = [i % clusters, Math.floor(i / clusters)];
  const effectiveAt = Math.floor(FIRST_DAY + ((NOW - FIRST_DAY) * visit) / (visits + 1)) + (cluster % 1_000);
  return factOf(cluster, visit, effectiveAt);
}

function factOf(cluster: number, visit: number, effectiveAt: number): Fact {
  const common = { clusterId: `c${cluster}`, effectiveAt };
  if (visit > 0)
    return { ...common, type: visit % 2 === 1 ? 'BillingStopped' : 'BillingResumed', cause: 'manual' };
  const accountId = `account-${Math.floor(cluster / CLUSTERS_OF_ACCOUNT)}`;
  return { ...common, type: 'ClusterRegistered', accountId, name: common.clusterId, clusterType: 'workload' };
}

/** A fact of the first cluster, effective in the middle of its history. */
function lateEvent(n: number, position: number, { facts, clusters }: Shape): LogEvent {
  const effectiveAt = Math.floor((FIRST_DAY + NOW) / 2) + position;
  const type = n % 2 === 0 ? 'BillingStopped' : 'BillingResumed';
  return eventOf(
    { type, clusterId: 'c0', effectiveAt, cause: 'missing' },
    position,
    position - facts + facts / clusters - 1,
  );
}

function eventOf(fact: Fact, position: number, revision: number): LogEvent {
  const origin = { source: 'urn:growth', id: String(position), actor: 'bench' };
  const stream = clusterStream(fact.clusterId);
  const { type, data, metadata } = serializeFact(fact, origin);
  return {
    ...{ id: eventId(stream, origin.source, origin.id), type, stream, revision, position, recordedAt: NOW },
    data: data as LogEvent['data'],
    metadata: metadata as LogEvent['metadata'],
  };
}

function shortened(value: number): string {
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(2);
}
