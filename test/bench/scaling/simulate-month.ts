import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  deleted,
  inBatchMode,
  type PostedEvent,
  registered,
  resumed,
  stopped,
} from '../../support/cloud-events.ts';
import { LedgerProcess } from '../../support/ledger-process.ts';

/** The cost of a month of a fleet, measured on a ledger with an embedded store. */
export interface Month {
  readonly clusters: number;
  readonly facts: number;
  /** Size of the store file divided by the facts in it, in bytes. */
  readonly bytesPerFact: number;
  /** Size of the snapshot divided by the facts in it, in bytes. */
  readonly snapshotBytesPerFact: number;
  /** Resident memory of a process that has replayed the log, above that of an empty ledger, per fact, in bytes. */
  readonly memoryPerFact: number;
  /** Facts per second of a start without a snapshot. */
  readonly replayPerSecond: number;
}

/** Part of the clusters that something happens to in a month. */
export const MONTHLY = { registered: 0.3, deleted: 0.25, stoppedAndResumed: 0.2 } as const;

/** Facts per cluster and month that follow from these parts. */
export const FACTS_PER_CLUSTER_MONTH = MONTHLY.registered + MONTHLY.deleted + 2 * MONTHLY.stoppedAndResumed;

const BATCH = 1_000;
const day = (n: number) => `2026-03-${String(1 + (n % 28)).padStart(2, '0')}T0${n % 10}:00:00.000Z`;

/** Yields the facts of a fleet that exists for a year: its clusters, and then months of what happens to them. */
function* factsOf(clusters: number, months: number): Generator<PostedEvent> {
  for (let n = 0; n < clusters; n++) yield registered(idOf(n), '2026-03-01T00:00:00.000Z', `acme-${n % 97}`);
  for (let month = 0; month < months; month++)
    for (let n = 0; n < clusters; n++) {
      const place = n / clusters;
      const id = idOf(n + month * clusters);
      if (place < MONTHLY.registered) yield registered(`${id}-new`, day(n), `acme-${n % 97}`);
      if (place < MONTHLY.deleted) yield deleted(`${id}-new`, day(n + 20));
      if (place >= 1 - MONTHLY.stoppedAndResumed) {
        yield stopped(idOf(n), `2026-03-${10 + month}T0${n % 10}:00:00.000Z`);
        yield resumed(idOf(n), `2026-03-${10 + month}T1${n % 10}:00:00.000Z`);
      }
    }
}

const idOf = (n: number) => `prod-eu-west-1-${String(n).padStart(8, '0')}`;

/** Records a fleet and some of its months in a ledger of its own, and measures. */
export async function simulateMonths(clusters: number, months: number): Promise<Month> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-scaling-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: dataDir, LEDGER_LOG_LEVEL: 'fatal' });
  try {
    const empty = await startOf(ledger);
    let batch: PostedEvent[] = [];
    let facts = 0;
    const post = async () => {
      await postAll(ledger.url, batch);
      facts += batch.length;
      batch = [];
    };
    for (const fact of factsOf(clusters, months)) {
      batch.push(fact);
      if (batch.length === BATCH) await post();
    }
    if (batch.length > 0) await post();
    await ledger.stop();
    const { size } = await stat(join(dataDir, 'ledger.db'));
    const snapshotFile = join(dataDir, 'snapshot-sqlite-ledger.bin');
    const snapshot = await stat(snapshotFile);
    await rm(snapshotFile);
    const full = await startOf(ledger);
    return {
      clusters,
      facts,
      bytesPerFact: size / facts,
      snapshotBytesPerFact: snapshot.size / facts,
      memoryPerFact: (full.memory - empty.memory) / facts,
      replayPerSecond: facts / Math.max(0.001, full.seconds - empty.seconds),
    };
  } finally {
    await ledger.stop('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Starts a ledger, and returns the seconds until it was ready, and its resident memory then. */
async function startOf(ledger: LedgerProcess): Promise<{ seconds: number; memory: number }> {
  const began = performance.now();
  await ledger.start();
  const seconds = (performance.now() - began) / 1_000;
  const metrics = await (await fetch(`${ledger.url}/metrics`)).text();
  return { seconds, memory: Number(/^ledger_process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]) };
}

/** Posts facts until a ledger that may be busy has recorded them. @throws Error if it refuses them. */
async function postAll(url: string, batch: readonly PostedEvent[]): Promise<void> {
  const { headers, body } = inBatchMode(batch);
  for (;;) {
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: body as string });
    const text = await answer.text();
    if (answer.status === 200) return;
    if (answer.status !== 503) throw new Error(`${answer.status} ${text.slice(0, 300)}`);
    await wait(1_000 * Number(answer.headers.get('retry-after') ?? 1));
  }
}
