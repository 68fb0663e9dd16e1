import { type ChildProcess, fork } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SourceReading } from '../../domain/inventory.ts';
import type { ProberOptions } from '../settings/prober-options.ts';
import { type ProberStats, type WorkerCommand, WorkerReport } from './prober-messages.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORKER = new URL('../probe/prober-worker.ts', import.meta.url);
/** Folder of its code: `src`, or `dist` if the ledger runs from its bundle. */
const CODE = fileURLToPath(new URL('../../', WORKER));
/** A machine that is busy takes seconds to start a process, and is not helped by another start. */
const START_TIMEOUT_MS = 60_000;
const PING_INTERVAL_MS = 1_000;
const GRACE_MS = 5_000;

export interface WorkerEvents {
  onVerdict(report: Extract<WorkerReport, { kind: 'verdict' }>): void;
  onStep(report: Extract<WorkerReport, { kind: 'step' }>): void;
  /** Called once, when the process is gone. @param why reason for people. */
  onEnd(why: string): void;
}

/** The probing process, as the server sees it. A process that hangs is killed. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #events: WorkerEvents;
  readonly #probeTimeoutMs: number;
  readonly #workerTimeoutMs: number;
  readonly #ended = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #statsRequests: ((stats: ProberStats) => void)[] = [];
  readonly #inventoryRequests: ((readings: readonly SourceReading[]) => void)[] = [];
  #pingTimer: NodeJS.Timeout | undefined;
  #lastReportAt = performance.now();
  #lastCheckAt = performance.now();
  #lastProgressAt = performance.now();
  #pendingProbes = 0;
  #endReason: string | undefined;

  private constructor(options: ProberOptions, events: WorkerEvents) {
    this.#events = events;
    const { deadlineMs, perHost, workerTimeoutMs } = options;
    this.#workerTimeoutMs = workerTimeoutMs;
    // At least one pending probe must end within this time: credential, rate limit of the host, and the probe
    // itself.
    this.#probeTimeoutMs = 2 * deadlineMs + 1_000 / perHost.perSecond + GRACE_MS;
    this.#child = fork(WORKER, [], {
      env: { ...options.environment },
      execArgv: execArgv(options),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.on('error', () => this.end('it could not be started or reached'));
    this.#child.once('exit', (code, signal) => this.#exited(signal ?? `exit code ${code}`));
    this.#ready.promise.catch(() => undefined);
  }

  /** Starts a process. @throws Error if it does not start; then it is gone. */
  static async start(options: ProberOptions, events: WorkerEvents): Promise<WorkerProcess> {
    const worker = new WorkerProcess(options, events);
    const timer = setTimeout(() => worker.end('it did not start in time'), START_TIMEOUT_MS);
    worker.send({ kind: 'start', options });
    try {
      await worker.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
    worker.#pingTimer = setInterval(() => worker.#checkLiveness(), PING_INTERVAL_MS);
    return worker;
  }

  /** Process id while the process runs. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(order: WorkerCommand): void {
    if (order.kind === 'probe' && this.#pendingProbes++ === 0) this.#lastProgressAt = performance.now();
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  /** Notes that probes have ended or are no longer of interest. */
  settle(count: number): void {
    this.#pendingProbes -= count;
    this.#lastProgressAt = performance.now();
  }

  /** Returns statistics of the process; `undefined` if it is gone. */
  async stats(): Promise<ProberStats | undefined> {
    const { promise, resolve } = Promise.withResolvers<ProberStats>();
    this.#statsRequests.push(resolve);
    this.send({ kind: 'ping' });
    return Promise.race([promise, this.#ended.promise.then(() => undefined)]);
  }

  /** Returns the inventories of the sources; `undefined` if the process is gone. */
  async inventory(): Promise<readonly SourceReading[] | undefined> {
    const { promise, resolve } = Promise.withResolvers<readonly SourceReading[]>();
    this.#inventoryRequests.push(resolve);
    this.send({ kind: 'inventory' });
    return Promise.race([promise, this.#ended.promise.then(() => undefined)]);
  }

  /** Kills the process. Resolves once it is gone. */
  async end(why: string): Promise<void> {
    this.#endReason ??= why;
    this.#child.kill('SIGKILL');
    if (this.#child.pid === undefined) this.#exited('it never started');
    await this.#ended.promise;
  }

  #checkLiveness(): void {
    const now = performance.now();
    // If the event loop of the server was blocked, reports of that time have yet to be read.
    const heldUpMs = now - this.#lastCheckAt - PING_INTERVAL_MS;
    this.#lastCheckAt = now;
    if (heldUpMs > PING_INTERVAL_MS) {
      this.#lastReportAt += heldUpMs;
      this.#lastProgressAt += heldUpMs;
    }
    if (now - this.#lastReportAt > this.#workerTimeoutMs) return void this.end('it stopped answering');
    if (this.#pendingProbes > 0 && now - this.#lastProgressAt > this.#probeTimeoutMs)
      return void this.end('its probes did not end');
    this.send({ kind: 'ping' });
  }

  #receive(message: unknown): void {
    const report = WorkerReport.safeParse(message);
    if (!report.success) return void this.end('it sent an invalid report');
    this.#lastReportAt = performance.now();
    const { data } = report;
    if (data.kind === 'ready') this.#ready.resolve();
    if (data.kind === 'verdict') this.#events.onVerdict(data);
    if (data.kind === 'step') this.#events.onStep(data);
    if (data.kind === 'inventory') this.#inventoryRequests.shift()?.(data.readings);
    if (data.kind === 'pong') for (const resolve of this.#statsRequests.splice(0)) resolve(data.stats);
  }

  #exited(how: string): void {
    clearInterval(this.#pingTimer);
    this.#ready.reject(new Error(`the probing process ended: ${this.#endReason ?? how}`));
    this.#ended.resolve();
    this.#events.onEnd(this.#endReason ?? how);
  }
}

function execArgv({ heapMiB, credentials, readable }: ProberOptions): string[] {
  const { directory } = credentials;
  const modules = `${ROOT}node_modules/`;
  // The permission model checks real paths, and the folder of the modules may be a link.
  const folders = new Set([CODE, modules, `${realpathSync(modules)}/`, `${ROOT}package.json`, ...readable]);
  if (directory !== undefined) folders.add(directory);
  return [
    '--permission',
    ...Array.from(folders, (folder) => `--allow-fs-read=${folder}`),
    '--disable-proto=delete',
    '--no-addons',
    // A small young generation frees TLS contexts early, with their native memory.
    '--max-semi-space-size=4',
    '--disable-sigusr1',
    `--max-old-space-size=${heapMiB}`,
  ];
}
