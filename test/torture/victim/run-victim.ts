import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CopierOptions } from './copier.ts';
import { type Line, parseLines } from './promises.ts';
import type { VictimOptions } from './victim-options.ts';

const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url));
const LOG_VICTIM = fileURLToPath(new URL('./log-victim.ts', import.meta.url));
const COPIER = fileURLToPath(new URL('./copier.ts', import.meta.url));

/** A process of a victim. */
export interface RunningVictim {
  readonly process: ChildProcess;
  /** Resolves once it has given a number of promises, or has ended before. */
  promised(count: number): Promise<void>;
  /** Returns what it has printed so far. */
  printed(): readonly Line[];
  /** Resolves once it has ended: all that it has printed, and how it ended. */
  readonly ended: Promise<VictimEnd>;
}

export interface VictimEnd {
  readonly lines: readonly Line[];
  /** Exit code; `null` if a signal ended it. */
  readonly code: number | null;
  readonly stderr: string;
}

/** Starts a ledger, or what backs it up and restores it. @param environment further variables, such as those of the shim */
export function startVictim(
  options: VictimOptions | CopierOptions,
  environment: Readonly<Record<string, string>> = {},
): RunningVictim {
  // Compiling takes most of the time of a start, so victims share what was compiled.
  const env = { PATH: '', NODE_COMPILE_CACHE: join(tmpdir(), 'torture-compile-cache'), ...environment };
  const program = 'action' in options ? COPIER : options.isLogAlone === true ? LOG_VICTIM : VICTIM;
  const victim = spawn(process.execPath, [program, JSON.stringify(options)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [[] as string[], [] as string[]];
  let lines = 0;
  const reached = new EventEmitter();
  victim.stdout.on('data', (chunk) => {
    stdout.push(String(chunk));
    lines += String(chunk).split('\n').length - 1;
    reached.emit('lines');
  });
  victim.stderr.on('data', (chunk) => void stderr.push(String(chunk)));
  const ended = once(victim, 'close').then(([code]) => {
    lines = Number.POSITIVE_INFINITY;
    reached.emit('lines');
    return { lines: parseLines(stdout.join('')), code: code as number | null, stderr: stderr.join('') };
  });
  const promised = async (count: number) => {
    while (lines <= count) await once(reached, 'lines');
  };
  const printed = () => parseLines(stdout.join(''));
  return { process: victim, promised, printed, ended };
}

/** Runs a victim to its end. */
export function runVictim(
  options: VictimOptions | CopierOptions,
  environment?: Readonly<Record<string, string>>,
): Promise<VictimEnd> {
  return startVictim(options, environment).ended;
}
