import type { SourceReading } from '../../domain/inventory.ts';
import type { Verdict } from '../../domain/validation/judging/verdict.ts';
import type { Logger } from '../../util/logger.ts';
import type { ProberOptions } from '../settings/prober-options.ts';
import type { ProberStats, ProbeTarget, WorkerCommand } from './prober-messages.ts';
import { WorkerProcess } from './worker-process.ts';

export interface ProbeResult {
  readonly clusterId: string;
  readonly verdict: Verdict;
}

/** So many more than are probed at a time are handed over: those whose host is asked too often wait there. */
const WINDOW_FACTOR = 4;
/** After a start that failed nobody waits for the next one for so long. */
const RESTART_PAUSE_MS = 1_000;

interface PendingProbe {
  readonly worker: WorkerProcess;
  readonly settle: (verdict: Verdict) => void;
}

/**
 * Probes clusters from a process of its own, so that neither what strangers send nor their credentials are ever in this one. If
 * that process ends, another takes its place: what was under way is `unknown: prober-failed`, and nothing is lost or told twice.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #now: () => number;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #pending = new Map<number, PendingProbe>();
  #worker: Promise<WorkerProcess> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #ids = 0;
  #isStopped = false;

  constructor(
    options: ProberOptions,
    { now, log }: { readonly now: () => number; readonly log: Pick<Logger, 'warn'> },
  ) {
    this.#options = options;
    this.#now = now;
    this.#log = log;
  }

  /** Starts the process, so that the first run need not wait for it. @throws Error where it does not start. */
  async start(): Promise<void> {
    await this.#runningWorker();
  }

  /**
   * Probes targets as they come and yields each one's verdict when it has one, in no order: exactly one per target. No more are
   * asked for than are needed, and none while the caller does not take what there is.
   * @param signal ends the run: nothing more is yielded. @throws what `targets` throws.
   */
  async *probe(
    targets: AsyncIterable<ProbeTarget> | Iterable<ProbeTarget>,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<ProbeResult, void, void> {
    const run = new ProbeRun(targets, WINDOW_FACTOR * this.#options.concurrency, signal);
    const mine = new Set<number>();
    const submit = async (target: ProbeTarget) => {
      const settle = (verdict: Verdict) => run.settle({ clusterId: target.clusterId, verdict });
      const id = await this.#submit(target, (verdict) => {
        if (id !== undefined) mine.delete(id);
        settle(verdict);
      });
      if (id === undefined) return settle(this.#failedVerdict('the prober did not start'));
      mine.add(id);
      if (run.isOver) this.#abort(mine);
    };
    try {
      yield* run.results(submit);
    } finally {
      run.end();
      this.#abort(mine);
    }
  }

  /** What the sources of credentials list. @throws Error where the process does not start, or ends meanwhile. */
  async inventory(): Promise<readonly SourceReading[]> {
    const readings = await (await this.#runningWorker()).inventory();
    if (readings === undefined) throw new Error('the prober ended before it had listed its sources');
    return readings;
  }

  /** How the process is; `undefined` where none runs. */
  async stats(): Promise<ProberStats | undefined> {
    const worker = await this.#worker?.catch(() => undefined);
    return worker?.stats();
  }

  /** Id of the process, where one runs. */
  async pid(): Promise<number | undefined> {
    return (await this.#worker?.catch(() => undefined))?.pid;
  }

  /** Ends the process; runs that go on get `unknown: prober-failed`. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const worker = await this.#worker?.catch(() => undefined);
    await worker?.end('the prober was stopped');
  }

  /** @returns the id of the probe, or `undefined` where there is no process to do it. */
  async #submit(target: ProbeTarget, settle: (verdict: Verdict) => void): Promise<number | undefined> {
    const worker = await this.#runningWorker().catch(() => undefined);
    if (worker === undefined) return undefined;
    this.#ids += 1;
    const id = this.#ids;
    this.#pending.set(id, { worker, settle });
    worker.send(probeCommand(id, target));
    return id;
  }

  #abort(ids: Set<number>): void {
    const byWorker = Map.groupBy(ids, (id) => this.#pending.get(id)?.worker);
    for (const [worker, own] of byWorker) {
      for (const id of own) this.#pending.delete(id);
      worker?.settle(own.length);
      worker?.send({ kind: 'abort', ids: own });
    }
    ids.clear();
  }

  #runningWorker(): Promise<WorkerProcess> {
    if (this.#isStopped) return Promise.reject(new Error('the prober was stopped'));
    if (performance.now() - this.#failedAt < RESTART_PAUSE_MS)
      return Promise.reject(new Error('the prober does not start'));
    this.#worker ??= this.#launch();
    return this.#worker;
  }

  #launch(): Promise<WorkerProcess> {
    let own: WorkerProcess | undefined;
    const starting = WorkerProcess.start(this.#options, {
      onVerdict: ({ id, verdict }) => this.#settle(id, verdict),
      onEnd: (why) => {
        if (this.#worker === starting) this.#worker = undefined;
        if (!this.#isStopped) this.#log.warn({ why }, 'the process that probes has ended');
        for (const [id, { worker }] of this.#pending)
          if (worker === own) this.#settle(id, this.#failedVerdict('the prober ended during the probe'));
      },
    });
    starting.then(
      (worker) => {
        own = worker;
        if (this.#isStopped) void worker.end('the prober was stopped');
      },
      () => {
        this.#failedAt = performance.now();
      },
    );
    return starting;
  }

  #settle(id: number, verdict: Verdict): void {
    const found = this.#pending.get(id);
    if (found === undefined) return;
    this.#pending.delete(id);
    found.worker.settle(1);
    found.settle(verdict);
  }

  #failedVerdict(detail: string): Verdict {
    return { state: 'unknown', code: 'prober-failed', detail, at: this.#now() };
  }
}

function probeCommand(id: number, target: ProbeTarget): WorkerCommand {
  if ('kubeconfig' in target) return { kind: 'probe', id, kubeconfig: target.kubeconfig };
  const { connection } = target;
  return { kind: 'probe', id, ...(connection !== undefined && { connection }) };
}

/** One run: what is still to be asked for, what is under way, and what waits to be taken. */
class ProbeRun {
  readonly #targets: AsyncIterator<ProbeTarget> | Iterator<ProbeTarget>;
  readonly #window: number;
  readonly #signal: AbortSignal;
  readonly #done: ProbeResult[] = [];
  readonly #wake = () => this.#changed.resolve();
  #changed = Promise.withResolvers<void>();
  #pending = 0;
  #isExhausted = false;
  #isOver = false;

  constructor(
    targets: AsyncIterable<ProbeTarget> | Iterable<ProbeTarget>,
    window: number,
    signal: AbortSignal,
  ) {
    this.#targets =
      Symbol.asyncIterator in targets ? targets[Symbol.asyncIterator]() : targets[Symbol.iterator]();
    this.#window = window;
    this.#signal = signal;
    signal.addEventListener('abort', this.#wake);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  settle(result: ProbeResult): void {
    this.#pending -= 1;
    this.#done.push(result);
    this.#wake();
  }

  async *results(submit: (target: ProbeTarget) => Promise<void>): AsyncGenerator<ProbeResult, void, void> {
    let failure: { readonly error: unknown } | undefined;
    this.#feed(submit).catch((error: unknown) => {
      failure = { error };
      this.#wake();
    });
    while (!this.#signal.aborted) {
      const next = this.#done.shift();
      if (next !== undefined) {
        this.#wake();
        yield next;
      } else if (failure !== undefined) throw failure.error;
      else if (this.#isExhausted && this.#pending === 0) return;
      else await this.#change();
    }
  }

  /** Nothing more is asked for. */
  end(): void {
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this.#wake);
    this.#wake();
    if (!this.#isExhausted) void Promise.resolve(this.#targets.return?.()).catch(() => undefined);
  }

  async #feed(submit: (target: ProbeTarget) => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      if (this.#pending + this.#done.length >= this.#window) {
        await this.#change();
        continue;
      }
      const next = await this.#targets.next();
      if (next.done === true) break;
      if (this.#isOver) return;
      this.#pending += 1;
      await submit(next.value);
    }
    this.#isExhausted = true;
    this.#wake();
  }

  /** Resolves at the next change. */
  async #change(): Promise<void> {
    const { promise } = this.#changed;
    await promise;
    if (this.#changed.promise === promise) this.#changed = Promise.withResolvers<void>();
  }
}
