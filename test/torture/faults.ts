import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from './seeded-random.ts';
import type { Shim, ShimSettings } from './shim/shim.ts';
import { judge } from './victim/judge.ts';
import { addPromise, type Line, noPromises, type Promises } from './victim/promises.ts';
import { runVictim } from './victim/run-victim.ts';
import type { VictimOptions } from './victim/victim-options.ts';

/** A fault of the disk. */
export type Fault = Omit<ShimSettings, 'folder'>;

/** The result of a run. */
export interface FaultsReport {
  cases: number;
  /** Cases in which the ledger stopped, and acknowledged nothing after it. */
  stopped: number;
  /** Cases in which it went on: the fault was not one of the log, or a disk that is full. */
  wentOn: number;
  /** Cases in which it did not start with the fault, and said why. */
  refused: number;
  readonly findings: string[];
}

export interface FaultsOptions {
  readonly seed: number;
  readonly count: number;
  /** The fault of each case; by default a random one. */
  readonly fault?: Fault;
  readonly plant?: VictimOptions['plant'];
  readonly progress?: (report: FaultsReport) => void;
}

const { EIO, ENOSPC } = constants.errno;
const SUFFIXES = ['ledger.db-wal', 'ledger.db', 'ledger.db-acknowledged', '.new', 'log-key', 'ledger.db'];
const MAX_CALL = 60;
const STEPS = 25;
/** Longer than each of them could take, so that only one that hangs gets there. */
const HANG_MS = 240_000;

/**
 * Runs a ledger whose disk fails at a call: an error of reading, writing or syncing, a disk that is full, a write that is short,
 * a sync that is slow. Nothing may be acknowledged after the ledger says that its store has failed; started again without the
 * fault, it must have all that it acknowledged, and take facts.
 */
export async function faults(
  shim: Shim,
  { seed, count, fault: given, plant, progress }: FaultsOptions,
): Promise<FaultsReport> {
  const report: FaultsReport = { cases: 0, stopped: 0, wentOn: 0, refused: 0, findings: [] };
  const root = mkdtempSync(join(tmpdir(), 'ledger-faults-'));
  try {
    for (let n = 0; n < count; n++) {
      const random = seededRandom(seed * 1_000_003 + n);
      const folder = join(root, String(n));
      mkdirSync(folder, { mode: 0o700 });
      const fault = given ?? randomFault(random);
      const name = `--seed ${seed} case ${n}, ${describe(fault)}`;
      const found = await runCase(shim, { folder, seed: seed + n, fault, plant }, report);
      if (found !== undefined) report.findings.push(`${name}: ${found}`);
      report.cases++;
      rmSync(folder, { recursive: true, force: true });
      if (n % 10 === 9) progress?.(report);
    }
    return report;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function randomFault(random: () => number): Fault {
  const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
  // Small numbers more often: a start makes a few calls, and work many.
  const at = 1 + Math.floor(random() ** 2 * MAX_CALL);
  const where = { suffix: pick(SUFFIXES), at };
  switch (pick(['eio', 'eio', 'full', 'short', 'slow', 'read', 'unsynced'] as const)) {
    case 'eio':
      return { ...where, calls: 'w', mode: 'error', errno: EIO };
    case 'full':
      return { ...where, calls: 'wm', mode: 'error', errno: ENOSPC, times: 1 + Math.floor(random() * 30) };
    case 'short':
      return { ...where, calls: 'w', mode: 'short' };
    case 'slow':
      return { ...where, calls: 's', mode: 'slow', times: 3 };
    case 'read':
      return { ...where, calls: 'r', mode: 'error', errno: EIO };
    case 'unsynced':
      return { ...where, calls: 's', mode: 'error', errno: EIO };
  }
}

function describe({ mode, calls, suffix, at, times = 1, errno }: Fault): string {
  return `${mode}${errno === ENOSPC ? ' ENOSPC' : ''} of call ${at}${times > 1 ? ` and ${times - 1} more` : ''} of "${calls}" on ${suffix}`;
}

interface Case {
  readonly folder: string;
  readonly seed: number;
  readonly fault: Fault;
  readonly plant: VictimOptions['plant'];
}

async function runCase(shim: Shim, { folder, seed, fault, plant }: Case, report: FaultsReport) {
  const promises = noPromises();
  const before = await runVictim({ folder, seed: -1 - seed, steps: 5 });
  const contradiction = addAll(promises, before.lines);
  if (contradiction !== undefined) return contradiction;
  const running = runVictim({ folder, seed, steps: STEPS, plant }, shim.environment({ ...fault, folder }));
  const hung = AbortSignal.timeout(HANG_MS);
  const ended = await Promise.race([
    running,
    new Promise<undefined>((resolve) => hung.addEventListener('abort', () => resolve(undefined))),
  ]);
  if (ended === undefined) return 'it hangs';
  const { lines, code, stderr } = ended;
  const failedAt = lines.findIndex((line) => 'failed' in line);
  const wasReady = lines.some((line) => 'ready' in line);
  if (failedAt >= 0 && lines.slice(failedAt).some((line) => 'fact' in line))
    return 'it acknowledged facts after its store had failed';
  const broken = addAll(promises, lines);
  if (broken !== undefined) return broken;
  if (!wasReady && code === 0) return 'it did not start and says that all is well';
  if (!wasReady && stderr === '' && failedAt < 0) return `it ended with ${code} without words`;
  report[wasReady ? (failedAt >= 0 ? 'stopped' : 'wentOn') : 'refused']++;
  const verdict = await judge(promises, folder);
  return verdict === 'complete' ? undefined : `afterwards, without the fault: ${verdict}`;
}

function addAll(promises: Promises, lines: readonly Line[]): string | undefined {
  return lines.map((line) => addPromise(promises, line)).find((broken) => broken !== undefined);
}
