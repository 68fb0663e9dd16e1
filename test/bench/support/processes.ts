import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { PeerOrder } from '../peers/server.ts';
import type { Bench } from './bench.ts';
import type { LoadOrder, LoadReport, Work } from './load-generator.ts';
import type { LogSize } from './log.ts';
import type { Sample } from './measure.ts';
import type { ModelMemory } from './model-memory.ts';
import { end } from './resources.ts';
import type { StreamOrder } from './stream-clients.ts';
import { cpuPerUnit, threadCpu } from './thread-cpu.ts';

const ROOT = new URL('../../../', import.meta.url);

/** Every cluster of the logs is unreachable in the end. A ledger would announce its alerts meanwhile, which is not measured. */
export const WITHOUT_ANNOUNCEMENTS = { LEDGER_ALERTS_ANNOUNCE: 'false' };

/** A server process that is measured from outside. */
export interface Server {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the ledger as it runs for others: its own process, on a file on a disk. */
export async function startLedger(bench: Bench, dataDir: string): Promise<Server> {
  const { profiler } = bench;
  const probe = new URL('./profile-probe.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    [...(profiler === undefined ? [] : ['--import', probe]), 'src/main.ts'],
    {
      cwd: ROOT,
      env: { LEDGER_HTTP_PORT: '0', LEDGER_DATA_DIR: dataDir, ...WITHOUT_ANNOUNCEMENTS },
      stdio: ['ignore', 'pipe', 'inherit', ...(profiler === undefined ? [] : (['ipc'] as const))],
    },
  );
  profiler?.watch(child);
  bench.resources.onRelease(() => end(child));
  return { port: await listeningPort(child), pid: child.pid as number, stop: () => end(child) };
}

/** The port that the log of the ledger names. */
async function listeningPort(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  lines.on('line', (line) => {
    const [, port] = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port !== undefined) resolve(Number(port));
  });
  child.once('exit', (code) => reject(new Error(`the ledger did not start: exit code ${code}`)));
  return promise;
}

/** Starts one of the servers that we are compared with, in a process of its own as well. */
export async function startPeer(bench: Bench, order: PeerOrder): Promise<Server> {
  const child = fork(new URL('../peers/server.ts', import.meta.url));
  bench.resources.onRelease(() => end(child));
  child.send(order);
  return {
    port: (await answerOf(child)) as number,
    pid: child.pid as number,
    stop: () => end(child),
  };
}

/** The first message of a process. @throws Error if the process ends without one. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended with code ${code}`);
  });
  ended.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [unknown];
  answered.abort();
  return message;
}

/** Measures in a new process what the projections of a log take. */
export async function memoryOfModel(bench: Bench, size: LogSize): Promise<ModelMemory> {
  const child = fork(new URL('./model-memory.ts', import.meta.url), {
    execArgv: ['--expose-gc', '--max-old-space-size=12000'],
  });
  bench.resources.onRelease(() => end(child));
  child.send(size);
  const memory = (await answerOf(child)) as ModelMemory;
  await end(child);
  return memory;
}

/** Loads a server for a while from a new process. @throws Error with the answer if an answer is wrong. */
export async function load(
  bench: Bench,
  server: Server,
  { connections, work }: { readonly connections: number; readonly work: Work },
): Promise<Sample> {
  const child = fork(new URL('./load-generator.ts', import.meta.url));
  bench.resources.onRelease(() => end(child));
  const order: LoadOrder = { port: server.port, connections, seconds: bench.options.seconds, work };
  const before = threadCpu(server.pid);
  child.send(order);
  const { requests, seconds, p50, p99, wrong } = (await answerOf(child)) as LoadReport;
  const after = threadCpu(server.pid);
  await end(child);
  if (wrong !== undefined) throw new Error(`an answer was not as it must be:\n${wrong}`);
  const units = requests * (work.kind === 'events' ? work.perRequest : 1);
  const cpuUs = before === undefined || after === undefined ? undefined : cpuPerUnit(before, after, units);
  return { value: units / seconds, latencyMs: { p50, p99 }, ...(cpuUs !== undefined && { cpuUs }) };
}

/** Clients that receive server-sent events, in a process of their own. */
export interface StreamClients {
  /** Resolves once this many more events were received by all clients together. */
  received(events: number): Promise<void>;
  stop(): Promise<void>;
}

/** Connects clients to the stream of a server. */
export async function streamClients(bench: Bench, { port }: Server, clients: number): Promise<StreamClients> {
  const child = fork(new URL('./stream-clients.ts', import.meta.url));
  bench.resources.onRelease(() => end(child));
  const told = (order: StreamOrder) => {
    child.send(order);
    return answerOf(child) as Promise<number>;
  };
  let received = await told({ kind: 'connect', port, clients });
  return {
    received: async (events) => {
      received = await told({ kind: 'await', events: received + events });
    },
    stop: () => end(child),
  };
}
