import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Copies, missingIn } from './copies.ts';
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
  /** Backups that were killed with their ledger, and restores. */
  backups: number;
  restores: number;
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
const MAX_PROMISES = 60;
const MAX_DELAY_MS = 20;
/** A folder is used for so many lives: the start reads the whole log. */
const LIVES_PER_FOLDER = 50;
/** Number of the newest promises that are compared after each kill; the older ones were compared before. */
const COMPARED = 500;

/** One of so many lives is a whole ledger, with HTTP and webhooks; the others are what reads and writes the log. */
const WHOLE_EVERY = 10;
/** A backup is killed in one of so many lives, and a restore of it after one of so many. */
const BACKUP_EVERY = 10;
const RESTORE_EVERY = 20;
const NO_COPIES = { backups: 0, restores: 0 };

/**
 * Kills a ledger again and again while it appends, takes batches, voids, closes periods, signs, writes snapshots, sends webhooks
 * and is backed up, and kills restores of the backups. Each start must find all that was promised; at the end of each folder everything is compared again, and every fact
 * must have arrived at the receiver of webhooks, those of a cluster in order.
 */
export async function kill({ seed, count, plant, progress }: KillOptions): Promise<KillReport> {
  const report: KillReport = { kills: 0, promises: noPromises(), delivered: 0, ...NO_COPIES, findings: [] };
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
    const place = mkdtempSync(join(tmpdir(), 'ledger-copies-'));
    const receiver = await WebhookReceiver.start();
    try {
      const lives = Math.min(LIVES_PER_FOLDER, count - first);
      await killInFolder(
        { folder, place, seed: seed * 1_000_003 + first, lives, receiver, plant },
        report,
        progress,
      );
    } finally {
      await receiver.stop();
      for (const used of [folder, place]) rmSync(used, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return report;
}

interface Lives {
  readonly folder: string;
  /** A folder for backups. */
  readonly place: string;
  readonly seed: number;
  readonly lives: number;
  readonly receiver: WebhookReceiver;
  readonly plant: KillOptions['plant'];
}

async function killInFolder(
  { folder, place, seed, lives, receiver, plant }: Lives,
  report: KillReport,
  progress: KillOptions['progress'],
): Promise<void> {
  const promises = noPromises();
  const findings: string[] = [];
  const copies = new Copies(folder, place);
  for (let life = 0; life < lives && findings.length === 0; life++) {
    const random = seededRandom(seed + life);
    const isWhole = life % WHOLE_EVERY === 0;
    const victim = startVictim({
      folder,
      seed: seed + life,
      ...(isWhole ? { webhook: receiver.url } : { isLogAlone: true }),
    });
    await victim.promised(Math.floor(random() ** 2 * MAX_PROMISES));
    if (life % BACKUP_EVERY === 1) {
      findings.push(...(await copies.killBackup(victim, promises.facts, random)));
      report.backups++;
    } else {
      await wait(random() * MAX_DELAY_MS);
      victim.process.kill('SIGKILL');
    }
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
    const newest = promises.facts.slice(-COMPARED);
    findings.push(...missingIn(join(folder, 'ledger.db'), newest).map((text) => `${text} after a kill`));
    if (life % RESTORE_EVERY === 2 && copies.hasBackup) {
      findings.push(...(await copies.killRestore(random)));
      report.restores++;
    }
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
