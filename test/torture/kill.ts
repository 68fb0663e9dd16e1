import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from './seeded-random.ts';
import { judge, openLedgerOn } from './victim/judge.ts';
import { addPromise, noPromises, type Promises } from './victim/promises.ts';
import { startVictim } from './victim/run-victim.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

/** The result of a run. */
export interface KillReport {
  kills: number;
  readonly promises: Promises;
  /** Clusters whose facts arrived at the receiver of webhooks. */
  delivered: number;
  readonly findings: string[];
}

export interface KillOptions {
  readonly seed: number;
  /** Number of kills. */
  readonly count: number;
  /** Changes the files after each kill, as a ledger that promises too early would leave them; for tests of this harness. */
  readonly plant?: ((folder: string) => void) | undefined;
  readonly progress?: (report: KillReport) => void;
}

/** Number of promises before a kill, at most, and the time after the last of them. */
const MAX_PROMISES = 200;
const MAX_DELAY_MS = 20;
/** A folder is used for so many lives: the start reads the whole log. */
const LIVES_PER_FOLDER = 100;

/**
 * Kills a ledger again and again while it appends, takes batches, voids, closes periods, signs, writes snapshots and sends
 * webhooks. Each start must find all that was promised; at the end of each folder everything is compared again, and every fact
 * must have arrived at the receiver of webhooks, those of a cluster in order.
 */
export async function kill({ seed, count, plant, progress }: KillOptions): Promise<KillReport> {
  const report: KillReport = { kills: 0, promises: noPromises(), delivered: 0, findings: [] };
  let next = 0;
  const lane = async () => {
    while (next < count && report.findings.length === 0) {
      const first = next;
      next += LIVES_PER_FOLDER;
      await inNewFolder(first);
    }
  };
  const inNewFolder = async (first: number) => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-killed-'));
    const receiver = await WebhookReceiver.start();
    try {
      const lives = Math.min(LIVES_PER_FOLDER, count - first);
      await killInFolder(
        { folder, seed: seed * 1_000_003 + first, lives, receiver, plant },
        report,
        progress,
      );
    } finally {
      await receiver.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return report;
}

interface Lives {
  readonly folder: string;
  readonly seed: number;
  readonly lives: number;
  readonly receiver: WebhookReceiver;
  readonly plant: KillOptions['plant'];
}

async function killInFolder(
  { folder, seed, lives, receiver, plant }: Lives,
  report: KillReport,
  progress: KillOptions['progress'],
): Promise<void> {
  const promises = noPromises();
  const findings: string[] = [];
  for (let life = 0; life < lives && findings.length === 0; life++) {
    const random = seededRandom(seed + life);
    const victim = startVictim({ folder, seed: seed + life, webhook: receiver.url });
    await victim.promised(Math.floor(random() ** 2 * MAX_PROMISES));
    await wait(random() * MAX_DELAY_MS);
    victim.process.kill('SIGKILL');
    const { lines, code, stderr } = await victim.ended;
    report.kills++;
    plant?.(folder);
    if (code !== null) findings.push(`it ended without a kill, with ${code}: ${stderr.slice(0, 500)}`);
    for (const line of lines) {
      const broken = addPromise(promises, line);
      if (broken !== undefined) findings.push(broken);
      if ('ready' in line && !line.ready.ok) findings.push(`a start says: ${line.ready.detail}`);
      if ('failed' in line) findings.push(`it failed: ${line.failed}`);
    }
    findings.push(...missingIn(folder, promises));
    if (life % 10 === 9) progress?.(report);
  }
  const verdict = await judge(promises, folder);
  if (verdict !== 'complete') findings.push(verdict);
  if (findings.length === 0) findings.push(...(await undelivered(folder, receiver)));
  report.delivered += receiver.idsByCluster().size;
  report.promises.facts.push(...promises.facts);
  report.promises.checkpoints.push(...promises.checkpoints);
  for (const [period, digest] of promises.closings) report.promises.closings.set(`${seed} ${period}`, digest);
  report.findings.push(...findings.map((text) => `--seed ${seed}: ${text}`));
}

/** Compares the newest promises with the rows of the store, read with SQLite alone. The older ones were compared before. */
function missingIn(folder: string, { facts }: Promises): string[] {
  const newest = facts.slice(-2_000);
  const db = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true });
  try {
    const select = db.prepare('SELECT id FROM log WHERE position = ?');
    const missing = newest.filter(({ position, eventId }) => select.get(position)?.['id'] !== eventId);
    return missing.length === 0 ? [] : [`${missing.length} acknowledged facts are missing after a kill`];
  } finally {
    db.close();
  }
}

/** Lets a ledger send the rest, and compares what arrived with the log. */
async function undelivered(folder: string, receiver: WebhookReceiver): Promise<string[]> {
  const ledger = await openLedgerOn(folder);
  try {
    const facts = new Map<string, string[]>();
    for await (const events of ledger.store.readAll(0))
      for (const { stream, id } of events)
        if (stream.startsWith('cluster-'))
          facts.set(stream.slice(8), [...(facts.get(stream.slice(8)) ?? []), id]);
    const lateNow = () => {
      const arrived = receiver.idsByCluster();
      return [...facts].filter(([cluster, ids]) => arrived.get(cluster)?.length !== ids.length);
    };
    const deadline = performance.now() + 120_000;
    while (lateNow().length > 0 && performance.now() < deadline) await wait(50);
    const late = lateNow();
    if (late.length > 0) return [`facts of ${late.length} clusters did not arrive as webhooks`];
    const arrived = receiver.idsByCluster();
    const disordered = [...facts].filter(([cluster, ids]) => arrived.get(cluster)?.join() !== ids.join());
    return disordered.length === 0 ? [] : [`webhooks of ${disordered.length} clusters arrived out of order`];
  } finally {
    await ledger.close();
  }
}
