import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKeyFile, retireOldKeys, rotateKey } from '../../src/audit/key-file.ts';
import { parseRecords } from './shim/records.ts';
import type { Shim } from './shim/shim.ts';
import type { CopierOptions } from './victim/copier.ts';
import { judge } from './victim/judge.ts';
import { addPromise, type Line, noPromises, type Promises } from './victim/promises.ts';
import { runVictim } from './victim/run-victim.ts';

/** The result of a run. */
export interface CrashpointsReport {
  /** Number of points at which each operation was ended, and of all its points. */
  readonly points: Map<string, { tried: number; all: number }>;
  readonly findings: string[];
}

export interface CrashpointsOptions {
  /** Number of points of each operation that are tried, evenly spread; at most all. */
  readonly count: number;
  /** The operations; by default all. */
  readonly only?: readonly string[];
  /** Shifts which points are tried, if not all are. */
  readonly seed: number;
  /** Changes the files after each crash, as a faulty ledger would leave them; for tests of this harness. */
  readonly plant?: (folder: string) => void;
  readonly progress?: (report: CrashpointsReport) => void;
}

/** An operation that is ended at each call that changes a file: a kind of work of the victim, or a copy of its store. */
interface Operation {
  readonly work: string | CopierOptions['action'];
  /** Prepares the files. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Whether the log lacks promised facts before, so that it begins as read-only. */
  readonly hasLost?: boolean;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  append: { work: 'append' },
  batch: { work: 'batch' },
  close: { work: 'close' },
  sign: { work: 'sign' },
  snapshot: { work: 'snapshot' },
  /** A start with two keys, which signs with both. */
  'key rotation': {
    work: 'sign',
    prepare: async (folder) => void (await rotateKey(join(folder, 'log-key'))),
  },
  'key retirement': {
    work: 'sign',
    prepare: async (folder) => {
      const key = join(folder, 'log-key');
      await rotateKey(key);
      await runVictim({ folder, seed: 2, steps: 1, work: 'sign' });
      await retireOldKeys(key, readFileSync(join(folder, 'checkpoint-ledger.db'), 'utf8'));
      await readKeyFile(key);
    },
  },
  backup: { work: 'backup' },
  /** A backup in the place of the store, by the command that restores it. */
  restore: {
    work: 'restore',
    prepare: async (folder) => void (await runVictim({ folder, action: 'backup', backup: backupOf(folder) })),
  },
  /** A copy in the place of the store, which lacks facts. Their loss is then accepted. */
  'accepted loss': {
    work: 'accept-loss',
    hasLost: true,
    prepare: async (folder) => {
      cpSync(join(folder, 'ledger.db'), join(folder, 'backup'));
      await runVictim({ folder, seed: 3, steps: 3, work: 'append' });
      cpSync(join(folder, 'backup'), join(folder, 'ledger.db'));
      rmSync(join(folder, 'backup'));
    },
  },
};

const backupOf = (folder: string) => join(folder, 'backup.db');

/**
 * Ends a ledger at each call that changes a file, in the middle of each operation, from its start to its stop. Started again, it
 * must have all that it promised, and the operation must succeed.
 */
export async function crashpoints(shim: Shim, options: CrashpointsOptions): Promise<CrashpointsReport> {
  const report: CrashpointsReport = { points: new Map(), findings: [] };
  const root = mkdtempSync(join(tmpdir(), 'ledger-crashpoints-'));
  try {
    const used = join(root, 'used');
    mkdirSync(used, { mode: 0o700 });
    const promises = noPromises();
    addAll(promises, (await runVictim({ folder: used, seed: 1, steps: 12 })).lines);
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      if (options.only?.includes(name) === false) continue;
      await sweep(shim, { name, operation, used, promises, folder: join(root, 'case') }, options, report);
      options.progress?.(report);
    }
    return report;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Sweep {
  readonly name: string;
  readonly operation: Operation;
  /** Folder of the ledger before the operation. */
  readonly used: string;
  readonly promises: Promises;
  readonly folder: string;
}

async function sweep(
  shim: Shim,
  { name, operation, used, promises, folder }: Sweep,
  { count, seed, plant }: CrashpointsOptions,
  report: CrashpointsReport,
): Promise<void> {
  const { work, hasLost = false } = operation;
  const prepared = `${folder}-prepared`;
  rmSync(prepared, { recursive: true, force: true });
  cpSync(used, prepared, { recursive: true });
  await operation.prepare?.(prepared);
  const reset = () => {
    rmSync(folder, { recursive: true, force: true });
    cpSync(prepared, folder, { recursive: true });
  };
  const run = (environment?: Record<string, string>) =>
    runVictim(
      work === 'backup' || work === 'restore'
        ? { folder, action: work, backup: backupOf(folder) }
        : { folder, seed: 4, steps: 1, work },
      environment,
    );
  reset();
  const counted = join(folder, 'calls');
  await run(shim.environment({ folder, calls: 'wsm', mode: 'count', log: counted }));
  const all = callsIn(counted);
  const tried = Math.min(count, all);
  report.points.set(name, { tried, all });
  for (let i = 0; i < tried; i++) {
    const at = 1 + ((Math.floor((i * all) / tried) + (tried < all ? seed : 0)) % all);
    reset();
    // Promises about events that the copy lacks do not hold any more.
    const promised = hasLost ? noPromises() : clone(promises);
    const wrong = (text: string) => report.findings.push(`${name}, call ${at} of ${all}: ${text}`);
    const { code, lines } = await run(shim.environment({ folder, calls: 'wsm', mode: 'exit', at }));
    if (code !== 137 && code !== 0) wrong(`it ended with ${code} instead of at the call`);
    addAll(promised, lines);
    plant?.(folder);
    const again = await run();
    if (again.code !== 0) wrong(`the next start ended with ${again.code}: ${again.stderr.slice(0, 300)}`);
    for (const line of again.lines)
      if ('ready' in line && !line.ready.ok && !hasLost) wrong(`the next start says: ${line.ready.detail}`);
    const contradiction = addAll(promised, again.lines);
    if (contradiction !== undefined) wrong(contradiction);
    const verdict = await judge(promised, folder);
    if (verdict !== 'complete') wrong(verdict);
  }
}

/** Returns the number of calls that the shim has counted. */
function callsIn(file: string): number {
  return Math.max(0, ...Array.from(parseRecords(readFileSync(file)), ({ offset }) => offset));
}

function clone({ facts, closings, checkpoints }: Promises): Promises {
  return { facts: [...facts], closings: new Map(closings), checkpoints: [...checkpoints] };
}

function addAll(promises: Promises, lines: readonly Line[]): string | undefined {
  return lines.map((line) => addPromise(promises, line)).find((broken) => broken !== undefined);
}
