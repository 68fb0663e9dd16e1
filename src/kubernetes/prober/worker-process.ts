import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SourceReading } from '../../domain/inventory.ts';
import type { ProberOptions } from '../settings/prober-options.ts';
import { type Order, type ProberStats, Report } from './prober-messages.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORKER = fileURLToPath(new URL('../probe/prober-worker.ts', import.meta.url));
const START_MS = 15_000;
const PING_MS = 1_000;
const GRACE_MS = 5_000;

export interface WorkerEvents {
  onVerdict(report: Extract<Report, { kind: 'verdict' }>): void;
  /** Once, when the process is gone. @param why for people. */
  onEnd(why: string): void;
}

/** The process that probes, seen from the server: it is up, or it is gone, and one that hangs is ended. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #events: WorkerEvents;
  readonly #longestMs: number;
  readonly #silenceMs: number;
  readonly #ended = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #waitingForStats: ((stats: ProberStats) => void)[] = [];
  readonly #waitingForInventory: ((readings: readonly SourceReading[]) => void)[] = [];
  #watch: NodeJS.Timeout | undefined;
  #heardAt = performance.now();
  #lookedAt = performance.now();
  #progressAt = performance.now();
  #underWay = 0;
  #why: string | undefined;

  private constructor(options: ProberOptions, events: WorkerEvents) {
    this.#events = events;
    const { deadlineMs, perHost, silenceMs } = options;
    this.#silenceMs = silenceMs;
    // A credential, a turn at a host, and the probe: after that long, of all that are under way one must have ended.
    this.#longestMs = 2 * deadlineMs + 1_000 / perHost.perSecond + GRACE_MS;
    this.#child = fork(WORKER, [], {
      env: { ...options.environment },
      execArgv: execArgv(options),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (message) => this.#hear(message));
    this.#child.on('error', () => this.end('it could not be started or reached'));
    this.#child.once('exit', (code, signal) => this.#gone(signal ?? `exit code ${code}`));
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves once it is up. @throws Error where it does not come up; then it is gone. */
  static async start(options: ProberOptions, events: WorkerEvents): Promise<WorkerProcess> {
    const worker = new WorkerProcess(options, events);
    const timer = setTimeout(() => worker.end('it did not start in time'), START_MS);
    worker.send({ kind: 'start', options });
    try {
      await worker.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
    worker.#watch = setInterval(() => worker.#look(), PING_MS);
    return worker;
  }

  /** Process id, while it runs. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(order: Order): void {
    if (order.kind === 'probe' && this.#underWay++ === 0) this.#progressAt = performance.now();
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  /** A probe is no longer waited for. */
  settle(count: number): void {
    this.#underWay -= count;
    this.#progressAt = performance.now();
  }

  /** How it is; `undefined` where it is gone. */
  async stats(): Promise<ProberStats | undefined> {
    const { promise, resolve } = Promise.withResolvers<ProberStats>();
    this.#waitingForStats.push(resolve);
    this.send({ kind: 'ping' });
    return Promise.race([promise, this.#ended.promise.then(() => undefined)]);
  }

  /** What its sources list; `undefined` where it is gone. */
  async inventory(): Promise<readonly SourceReading[] | undefined> {
    const { promise, resolve } = Promise.withResolvers<readonly SourceReading[]>();
    this.#waitingForInventory.push(resolve);
    this.send({ kind: 'inventory' });
    return Promise.race([promise, this.#ended.promise.then(() => undefined)]);
  }

  /** Ends it, whatever it does. Resolves once it is gone. */
  async end(why: string): Promise<void> {
    this.#why ??= why;
    this.#child.kill('SIGKILL');
    if (this.#child.pid === undefined) this.#gone('never started');
    await this.#ended.promise;
  }

  #look(): void {
    const now = performance.now();
    // Where it is we who were held up, what it said meanwhile is still to be read.
    const heldUpMs = now - this.#lookedAt - PING_MS;
    this.#lookedAt = now;
    if (heldUpMs > PING_MS) {
      this.#heardAt += heldUpMs;
      this.#progressAt += heldUpMs;
    }
    if (now - this.#heardAt > this.#silenceMs) return void this.end('it did not answer any more');
    if (this.#underWay > 0 && now - this.#progressAt > this.#longestMs)
      return void this.end('its probes did not end');
    this.send({ kind: 'ping' });
  }

  #hear(message: unknown): void {
    const report = Report.safeParse(message);
    if (!report.success) return void this.end('it said what it cannot say');
    this.#heardAt = performance.now();
    const { data } = report;
    if (data.kind === 'ready') this.#ready.resolve();
    if (data.kind === 'verdict') this.#events.onVerdict(data);
    if (data.kind === 'inventory') this.#waitingForInventory.shift()?.(data.readings);
    if (data.kind === 'pong') for (const resolve of this.#waitingForStats.splice(0)) resolve(data.stats);
  }

  #gone(how: string): void {
    clearInterval(this.#watch);
    this.#ready.reject(new Error(`the prober is gone: ${this.#why ?? how}`));
    this.#ended.resolve();
    this.#events.onEnd(this.#why ?? how);
  }
}

function execArgv({ heapMiB, credentials, readable }: ProberOptions): string[] {
  const { directory } = credentials;
  const folders = [`${ROOT}src/`, `${ROOT}node_modules/`, `${ROOT}package.json`, ...readable];
  if (directory !== undefined) folders.push(directory);
  return [
    '--permission',
    ...folders.map((folder) => `--allow-fs-read=${folder}`),
    '--disable-proto=delete',
    '--no-addons',
    // What a probe leaves behind is collected while it is still little: the native memory of its TLS goes with it.
    '--max-semi-space-size=4',
    '--disable-sigusr1',
    `--max-old-space-size=${heapMiB}`,
  ];
}
