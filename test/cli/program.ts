import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const PROGRAM = fileURLToPath(new URL('../../bin/cluster-ledger.js', import.meta.url));

/** The result of running the program. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

let running = 0;
const waiting: (() => void)[] = [];

/** Runs the program in a process of its own. Limits the number of processes. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  while (running >= availableParallelism() + 1) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await finished(start(args, options), options.input ?? '');
  } finally {
    running--;
    waiting.shift()?.();
  }
}

/** Starts the program. The caller must end it. */
export function start(args: readonly string[], { env = {}, cwd }: RunOptions = {}): ChildProcess {
  // No settings of the user who runs the tests.
  const environment = { PATH: '', XDG_CONFIG_HOME: '/nonexistent', ...env };
  return spawn(process.execPath, [PROGRAM, ...args], {
    env: environment,
    stdio: 'pipe',
    ...(cwd !== undefined && { cwd }),
  });
}

export async function finished(child: ChildProcess, input = ''): Promise<Run> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin?.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Splits a command line without quotes into words. */
export function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '');
}

export async function folderForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
