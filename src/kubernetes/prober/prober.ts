import { setTimeout as wait } from 'node:timers/promises';
import type { SourceReading } from '../../domain/inventory.ts';
import type { RecordStep } from '../../domain/kubefirst/record-step.ts';
import type { Verdict } from '../../domain/validation/judging/verdict.ts';
import type { Logger } from '../../util/logger.ts';
import type { Operations } from '../../util/operation-listeners.ts';
import type { ManagementClusterSettings } from '../settings/credential-settings.ts';
import type { ProberOptions } from '../settings/prober-options.ts';
import { type ProberStats, type ProbeTarget, toRecordStep, type WorkerCommand } from './prober-messages.ts';
import { StepQueue } from './step-queue.ts';
import { WorkerProcess } from './worker-process.ts';

export interface ProbeResult {
  readonly clusterId: string;
  readonly verdict: Verdict;
}

/** Number of targets submitted per permit, so that probes that wait for a busy host do not leave permits unused. */
const WINDOW_FACTOR = 4;
/** Pause after a failed start, in ms. */
const RESTART_PAUSE_MS = 1_000;

interface PendingProbe {
  readonly worker: WorkerProcess;
  readonly settle: (verdict: Verdict) => void;
  readonly ended: (outcome: string, seconds?: number) => void;
}

/**
 * Probes clusters in a separate process, so that neither untrusted input nor credentials are in the server. If the
 * process ends, another one is started; pending probes get `unverifiable: prober-failed`, and each target gets exactly
 * one verdict.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #now: () => number;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #operations: Operations | undefined;
  readonly #pending = new Map<number, PendingProbe>();
  readonly #followed = new Map<number, StepQueue>();
  #worker: Promise<WorkerProcess> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #ids = 0;
  #isStopped = false;

  constructor(
    options: ProberOptions,
    {
      now,
      log,
      operations,
    }: { readonly now: () => number; readonly log: Pick<Logger, 'warn'>; readonly operations?: Operations },
  ) {
    this.#options = options;
    this.#now = now;
    this.#log = log;
    this.#operations = operations;
  }

  /** Starts the process ahead of the first run. @throws Error if it does not start. */
  async start(): Promise<void> {
    await this.#runningWorker();
  }

  /**
   * Probes targets and yields exactly one verdict per target, in any order. It takes targets only as needed, and
   * none while the caller does not consume results. Credentials are read anew.
   * @param signal ends the run; nothing is yielded afterwards.
   * @throws the errors of `targets`.
   */
  async *probe(
    targets: AsyncIterable<ProbeTarget> | Iterable<ProbeTarget>,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<ProbeResult, void, void> {
    const run = new ProbeRun(targets, WINDOW_FACTOR * this.#options.concurrency, signal);
    const probeIds = new Set<number>();
    const submit = async (target: ProbeTarget) => {
      const settle = (verdict: Verdict) => run.settle({ clusterId: target.clusterId, verdict });
      const id = await this.#submit(target, (verdict) => {
        if (id !== undefined) probeIds.delete(id);
        settle(verdict);
      });
      if (id === undefined) return settle(this.#failedVerdict('the probing process did not start'));
      probeIds.add(id);
      if (run.isOver) this.#abort(probeIds);
    };
    // A worker that does not run yet has read nothing.
    (await this.#worker?.catch(() => undefined))?.send({ kind: 'refresh' });
    try {
      yield* run.results(submit);
    } finally {
      run.end();
      this.#abort(probeIds);
    }
  }

  /**
   * Returns the inventories of the credential sources. @throws Error if the process does not start or ends
   * meanwhile.
   */
  async inventory(): Promise<readonly SourceReading[]> {
    const readings = await (await this.#runningWorker()).inventory();
    if (readings === undefined)
      throw new Error('the probing process ended before it reported its inventories');
    return readings;
  }

  /**
   * Follows the records of a management cluster until the signal fires. If the process ends, the records are followed
   * again from a new list.
   */
  async *follow(
    place: { readonly access: ManagementClusterSettings; readonly namespace: string },
    signal: AbortSignal,
  ): AsyncGenerator<RecordStep, void, void> {
    while (!signal.aborted) {
      const id = ++this.#ids;
      const steps = new StepQueue(signal);
      this.#followed.set(id, steps);
      const worker = await this.#runningWorker().catch(() => undefined);
      try {
        if (worker === undefined) yield { kind: 'unreadable', why: 'the probing process did not start' };
        else {
          worker.send({ kind: 'follow', id, ...place });
          yield* steps.all();
        }
      } finally {
        this.#followed.delete(id);
        worker?.send({ kind: 'unfollow', id });
      }
      await wait(RESTART_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Returns statistics of the process; `undefined` if none is running. */
  async stats(): Promise<ProberStats | undefined> {
    const worker = await this.#worker?.catch(() => undefined);
    return worker?.stats();
  }

  /** Returns the process id; `undefined` if no process is running. */
  async pid(): Promise<number | undefined> {
    return (await this.#worker?.catch(() => undefined))?.pid;
  }

  /** Ends the process. Active runs get `unverifiable: prober-failed`. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const worker = await this.#worker?.catch(() => undefined);
    await worker?.end('the prober was stopped');
  }

  /** @returns the id of the probe, or `undefined` if no process is available. */
  async #submit(target: ProbeTarget, settle: (verdict: Verdict) => void): Promise<number | undefined> {
    const worker = await this.#runningWorker().catch(() => undefined);
    if (worker === undefined) return undefined;
    this.#ids += 1;
    const id = this.#ids;
    const begun = this.#operations?.begin('probe', { clusterId: target.clusterId });
    this.#pending.set(id, { worker, settle, ended: begun ?? (() => undefined) });
    worker.send(probeCommand(id, target));
    return id;
  }

  #abort(ids: Set<number>): void {
    const byWorker = Map.groupBy(ids, (id) => this.#pending.get(id)?.worker);
    for (const [worker, own] of byWorker) {
      for (const id of own) {
        this.#pending.get(id)?.ended('aborted');
        this.#pending.delete(id);
      }
      worker?.settle(own.length);
      worker?.send({ kind: 'abort', ids: own });
    }
    ids.clear();
  }

  #runningWorker(): Promise<WorkerProcess> {
    if (this.#isStopped) return Promise.reject(new Error('the prober was stopped'));
    if (performance.now() - this.#failedAt < RESTART_PAUSE_MS)
      return Promise.reject(new Error('the probing process does not start'));
    this.#worker ??= this.#launch();
    return this.#worker;
  }

  #launch(): Promise<WorkerProcess> {
    let own: WorkerProcess | undefined;
    const starting = WorkerProcess.start(this.#options, {
      onVerdict: ({ id, verdict }) => this.#settle(id, verdict),
      onStep: ({ id, step }) => this.#followed.get(id)?.add(toRecordStep(step)),
      onEnd: (why) => {
        if (this.#worker === starting) this.#worker = undefined;
        if (!this.#isStopped) this.#log.warn({ why }, 'the probing process ended');
        for (const steps of this.#followed.values()) {
          steps.add({ kind: 'unreadable', why: 'the probing process ended' });
          steps.add(undefined);
        }
        for (const [id, { worker }] of this.#pending)
          if (worker === own)
            this.#settle(id, this.#failedVerdict('the probing process ended during the probe'));
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
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    const { state, latencyMs } = verdict;
    pending.ended(state, latencyMs === undefined ? undefined : latencyMs / 1_000);
    pending.worker.settle(1);
    pending.settle(verdict);
  }

  #failedVerdict(detail: string): Verdict {
    return { state: 'unverifiable', code: 'prober-failed', detail, at: this.#now() };
  }
}

function probeCommand(id: number, target: ProbeTarget): WorkerCommand {
  if ('kubeconfig' in target) return { kind: 'probe', id, kubeconfig: target.kubeconfig };
  const { connection } = target;
  return { kind: 'probe', id, ...(connection !== undefined && { connection }) };
}

/** One run: targets to submit, pending probes, and results to yield. */
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

  /** Stops submitting targets. */
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

  /** Resolves at the next change of the run. */
  async #change(): Promise<void> {
    const { promise } = this.#changed;
    await promise;
    if (this.#changed.promise === promise) this.#changed = Promise.withResolvers<void>();
  }
}
