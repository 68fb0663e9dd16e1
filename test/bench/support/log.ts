import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../../src/domain/stream-table.ts';
import { type Instant, periodWindow, type Window } from '../../../src/domain/time.ts';
import type { EventStore, NewEvent } from '../../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { eventId } from '../../../src/ledger/event-id.ts';
import type { Bench } from './bench.ts';

/** A log to read: clusters that are registered, stopped and resumed over 80 days, their facts mixed as they would be. */

/** The days of the log are fixed, so that every run counts the same. */
export const FIRST_DAY = Date.parse('2026-04-01T00:00:00.000Z');
export const NOW = Date.parse('2026-06-20T12:00:00.000Z');
export const MONTH = '2026-06';
export const MONTH_WINDOW = periodWindow(MONTH);

export interface LogSize {
  readonly accounts: number;
  readonly clusters: number;
  readonly factsPerCluster: number;
  /** The days over which the facts are spread; by default those up to `NOW`. */
  readonly days?: Window;
}

/** The sizes that the goals name, or a fifth of them. */
export function logSize({ options: { full } }: Bench, factsPerCluster = 10): LogSize {
  return full
    ? { accounts: 10_000, clusters: 100_000, factsPerCluster }
    : { accounts: 2_000, clusters: 20_000, factsPerCluster };
}

const written = new Map<string, Promise<string>>();

/** The folder of a ledger with such a log; written once. */
export function folderWithLog(bench: Bench, size: LogSize): Promise<string> {
  const key = JSON.stringify(size);
  const known = written.get(key);
  if (known !== undefined) return known;
  const folder = writeLog(bench, size);
  written.set(key, folder);
  return folder;
}

async function writeLog(bench: Bench, size: LogSize): Promise<string> {
  bench.say(`writing a log of ${size.clusters * size.factsPerCluster} facts`);
  const folder = await bench.newFolder('log');
  const store = await SqliteStore.open(logFile(folder));
  await appendFacts(store, size);
  // A ledger signs its log every few seconds; a start compares what is not signed with its witness.
  store.signed(size.clusters * size.factsPerCluster);
  await store.close();
  return folder;
}

export function logFile(folder: string): string {
  return join(folder, 'ledger.db');
}

const AT_ONCE = 4_096;

/** An event of a log, and its place in its stream. */
interface PlacedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly event: NewEvent;
}

/** Yields the events of a log in its order: those of one cluster are far apart from each other. */
export function* logEvents(size: LogSize): Generator<PlacedEvent> {
  for (let revision = 0; revision < size.factsPerCluster; revision++)
    for (let cluster = 0; cluster < size.clusters; cluster++)
      yield {
        stream: clusterStream(clusterName(cluster)),
        revision,
        event: newEvent(cluster, revision, size),
      };
}

/** Appends the facts of a log. @param atOnce appends under way. */
export async function appendFacts(store: EventStore, size: LogSize, atOnce = AT_ONCE): Promise<void> {
  let underWay: Promise<unknown>[] = [];
  for (const { stream, revision, event } of logEvents(size)) {
    underWay.push(store.append(stream, [event], revision === 0 ? 'absent' : revision - 1));
    if (underWay.length < atOnce) continue;
    await Promise.all(underWay);
    underWay = [];
  }
  await Promise.all(underWay);
}

function newEvent(cluster: number, visit: number, size: LogSize): NewEvent {
  const fact = factOf(cluster, visit, size);
  const origin = { source: 'https://fleet.example/producer', id: `e-${cluster}-${visit}`, actor: 'loopback' };
  const id = eventId(clusterStream(fact.clusterId), origin.source, origin.id);
  return { id, ...serializeFact(fact, origin), recordedAt: fact.effectiveAt + 250 } as NewEvent;
}

function factOf(cluster: number, visit: number, { accounts, factsPerCluster, days }: LogSize): Fact {
  const clusterId = clusterName(cluster);
  const effectiveAt = timeOf(cluster, visit, factsPerCluster, days);
  if (visit === 0) {
    return {
      type: 'ClusterRegistered',
      clusterId,
      effectiveAt,
      accountId: accountName(cluster % accounts),
      name: clusterId,
      clusterType: 'kubernetes',
      cloudProvider: 'aws',
      region: 'eu-central-1',
      labels: { team: 'payments', env: 'prod' },
      billable: true,
    };
  }
  if (visit === factsPerCluster - 1) {
    const evidence = { checks: 3, lastError: 'connect ETIMEDOUT 10.0.12.7:6443' };
    return { type: 'ClusterUnreachable', clusterId, effectiveAt, evidence };
  }
  const type = visit % 2 === 1 ? 'BillingStopped' : 'BillingResumed';
  return { type, clusterId, effectiveAt, cause: 'manual', reason: 'maintenance window of the customer' };
}

/** Spread evenly over the days, each cluster a little apart from the next. */
function timeOf(
  cluster: number,
  visit: number,
  visits: number,
  { from, to }: Window = { from: FIRST_DAY, to: NOW },
): Instant {
  const step = (to - from) / (visits + 1);
  return Math.floor(from + step * (visit + ((cluster * 7_919) % 10_007) / 10_007));
}

export function clusterName(cluster: number): string {
  return `cluster-${cluster.toString(36).padStart(6, '0')}`;
}

export function accountName(account: number): string {
  return `acct-${account}`;
}

/** A row of the log as it stands in the file. */
export interface LogRow {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recorded_at: number;
}

/** All rows of a log, for those that read it without our store. */
export function* rowsOfLog(folder: string): Generator<LogRow> {
  const db = new DatabaseSync(logFile(folder), { readOnly: true });
  try {
    yield* db
      .prepare('SELECT * FROM log ORDER BY position')
      .iterate() as Iterable<unknown> as Iterable<LogRow>;
  } finally {
    db.close();
  }
}
