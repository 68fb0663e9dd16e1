import { randomUUID } from 'node:crypto';
import { factToCloudEvent } from '../domain/facts/cloud-event.ts';
import type { InventoryStatus } from '../domain/inventory.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import type { Condition } from '../domain/validation/judging/condition.ts';
import { type Judgement, judgeRun, VALIDATOR_SOURCE } from '../domain/validation/judging/judge.ts';
import type { Policies } from '../domain/validation/judging/policy.ts';
import type { Conclusion, ProbedCluster } from '../domain/validation/judging/run-input.ts';
import type { Verdict } from '../domain/validation/judging/verdict.ts';
import {
  type Counts,
  runId,
  type Shard,
  shardName,
  startRecord,
  type Trigger,
} from '../domain/validation/records/run-record.ts';
import { shardOf } from '../domain/validation/records/shard.ts';
import { serializeRun } from '../domain/validation/records/write-run.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { ClockGuard } from '../ledger/clock-guard.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ClockUntrusted } from '../ledger/ledger-errors.ts';
import type { Submission } from '../ledger/submission.ts';
import type { ClaimedRun, ValidationRuns } from '../ledger/validation-runs.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';
import {
  type ClusterToProbe,
  clustersToProbe,
  clusterToProbe,
} from '../projections/queries/clusters-to-probe.ts';
import type { Logger } from '../util/logger.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { modelAtHead } from './model-at-head.ts';

/** Probes clusters and yields one verdict for each. An inconclusive probe is a verdict too. */
export interface Probes {
  probe(
    targets: Iterable<{ readonly clusterId: string; readonly connection: string }>,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly clusterId: string; readonly verdict: Verdict }>;
}

/** Statuses and conditions from a second source, the inventory of the platform. */
export interface InventoryReport {
  statusOf(clusterId: string): InventoryStatus;
  readonly conditions: readonly Condition[];
}

export interface ValidatorDependencies {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly runs: ValidationRuns;
  readonly projections: Projections;
  readonly probes: Probes;
  /** Compares the inventory of the platform with the ledger; absent if no inventory is configured. */
  readonly inventory?: ((model: LedgerModel, now: Instant) => Promise<InventoryReport>) | undefined;
  readonly now: () => Instant;
  /** Returns the time that events are stamped with. The deadline of a run is compared with the times of its records. */
  readonly recordingTime: () => Instant;
  /** Checks the clock. While it cannot be trusted, runs have no effect. */
  readonly clockGuard?: Pick<ClockGuard, 'verified'> | undefined;
  readonly log: Logger;
}

export interface ValidatorOptions {
  readonly policies: Policies;
  readonly shard: Shard;
  /** Deadline of a run in ms; after it the run is abandoned. */
  readonly deadlineMs: number;
}

export interface RunRequest {
  readonly trigger: Trigger;
  readonly actor: string;
  /** Nominal instant of the run. A scheduled run uses the whole minute, so that replicas claim the same run. */
  readonly tick: Instant;
  /** Time between scheduled runs, in ms. */
  readonly everyMs?: number;
}

/** Progress of a run of this process. */
export interface RunProgress {
  readonly run: string;
  readonly startedAt: Instant;
  done: number;
  readonly total: number;
  readonly counts: Counts;
}

/** Result of a claim. Only one process gets a run, and an earlier run of the shard must end first. */
export type BeginOutcome =
  | { readonly outcome: 'begun'; readonly run: string; readonly finished: Promise<RunOutcome> }
  | { readonly outcome: 'taken'; readonly run: string };

export type RunOutcome =
  | { readonly outcome: 'completed'; readonly run: string; readonly judgement: Judgement }
  /** The run passed its deadline or was stopped. It has no effect, and the next run probes all clusters again. */
  | { readonly outcome: 'abandoned'; readonly run: string; readonly why: string };

export interface RunPlan {
  readonly decidedAt: Instant;
  readonly judgement: Judgement;
}

const PROGRESS_EVERY_MS = 10_000;
/** Number of facts recorded per call. */
const FACT_BATCH = 500;
const NO_CREDENTIAL = 'the registration of the cluster has no connection';

/** Runs the validator: probes the clusters of a shard, judges the verdicts, and records the conclusions. */
export class RunValidation {
  readonly #dependencies: ValidatorDependencies;
  readonly options: ValidatorOptions;
  readonly #stop = new AbortController();
  /** Identifies this process in the records of its runs. */
  readonly #instance = randomUUID().slice(0, 8);
  #progress: RunProgress | undefined;
  readonly #claims = new SerialQueue();

  constructor(dependencies: ValidatorDependencies, options: ValidatorOptions) {
    this.#dependencies = dependencies;
    this.options = options;
  }

  /** The run of this process, if one is active. */
  get progress(): Readonly<RunProgress> | undefined {
    return this.#progress;
  }

  /** Aborts the active run. */
  stop(): void {
    this.#stop.abort();
  }

  /** Returns what a run would do now. Nothing is written. @throws NotCaughtUp */
  async plan(): Promise<RunPlan> {
    const model = await modelAtHead(this.#dependencies.store, this.#dependencies.projections);
    const tick = this.#dependencies.now();
    const signal = this.#signal(this.options.deadlineMs);
    const run = `dry-${formatInstant(tick)}`;
    const probed = await this.#probeAll(model, run, tick, signal, async () => undefined);
    return probed.judge();
  }

  /**
   * Claims a run and starts it.
   * @returns `taken`, with the id of the active run, if another process or an earlier run has the shard.
   * @throws ClockUntrusted if nothing was probed because of it.
   * @throws NotCaughtUp, OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  begin(request: RunRequest): Promise<BeginOutcome> {
    // Serialized: otherwise two requests of this process could mistake each other's claim for their own.
    return this.#claims.run(() => this.#begin(request));
  }

  async #begin(request: RunRequest): Promise<BeginOutcome> {
    const { shard, policies, deadlineMs } = this.options;
    const { now, recordingTime, projections, runs, store, clockGuard } = this.#dependencies;
    const doubt = await clockGuard?.verified();
    if (doubt !== undefined) throw new ClockUntrusted(doubt.why);
    const run = runId(request.tick, shard);
    const model = await modelAtHead(this.#dependencies.store, this.#dependencies.projections);
    const name = shardName(shard);
    const active = model.validations.activeRuns(recordingTime()).find(({ start }) => start.shard === name);
    if (active !== undefined) return { outcome: 'taken', run: active.run };

    const startedAt = now();
    const deadline = recordingTime() + deadlineMs;
    const start = startRecord({
      tick: request.tick,
      shard,
      trigger: request.trigger,
      policies: policies.digest,
      by: `${request.actor}/${this.#instance}`,
      deadline,
      total: this.#targets(model, startedAt).length,
      ...(request.everyMs !== undefined && { everyMs: request.everyMs }),
    });
    const claimed = await runs.claim(run, start);
    if (claimed === undefined) return { outcome: 'taken', run };
    await modelAtHead(store, projections);
    return { outcome: 'begun', run, finished: this.#finish(request.tick, claimed, startedAt, deadline) };
  }

  async #finish(
    tick: Instant,
    claimed: ClaimedRun,
    startedAt: Instant,
    deadline: Instant,
  ): Promise<RunOutcome> {
    const { now, recordingTime, projections, runs, store } = this.#dependencies;
    const { policies, shard } = this.options;
    const { run } = claimed;
    const signal = this.#signal(Math.max(0, deadline - recordingTime()));
    let last = claimed;
    const reportProgress = async (progress: RunProgress) => {
      last = await runs.append(last, [{ type: 'ValidationProgressed', data: progressOf(progress) }]);
    };
    const probed = await this.#probeAll(projections.model, run, tick, signal, reportProgress);
    if (signal.aborted) return this.#abandoned(run, 'it did not finish by its deadline');

    const doubt = await this.#dependencies.clockGuard?.verified();
    if (doubt !== undefined)
      return this.#abandoned(run, `the clock of the host cannot be trusted: ${doubt.why}`);
    const { decidedAt, judgement } = probed.judge();
    await this.#record(judgement.facts);
    if (recordingTime() >= deadline)
      return this.#abandoned(run, 'its facts were not recorded by its deadline');
    const { validations } = projections.model;
    const records = serializeRun({
      tick,
      decidedAt,
      policies,
      judgement,
      historyBefore: (clusterId) => validations.historyOf(clusterId),
      before: validations.lastOf(shardName(shard)),
      durationMs: now() - startedAt,
    });
    await runs.append(last, records);
    await modelAtHead(store, projections);
    return { outcome: 'completed', run, judgement };
  }

  /** Returns the clusters of the shard to probe. */
  #targets(model: LedgerModel, now: Instant): ClusterToProbe[] {
    const { policies, shard } = this.options;
    const all = Array.from(clustersToProbe(model, policies, now));
    return shard.count === 1
      ? all
      : all.filter(({ clusterId }) => shardOf(clusterId, shard.count) === shard.index);
  }

  #abandoned(run: string, why: string): RunOutcome {
    this.#dependencies.log.warn({ run, why }, 'validation abandoned; the next one probes all clusters again');
    return { outcome: 'abandoned', run, why };
  }

  #signal(timeoutMs: number): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
  }

  async #probeAll(
    model: LedgerModel,
    run: string,
    tick: Instant,
    signal: AbortSignal,
    reportProgress: (progress: RunProgress) => Promise<unknown>,
  ) {
    const { now, inventory } = this.#dependencies;
    const startedAt = now();
    const targets = this.#targets(model, startedAt);
    const progress: RunProgress = {
      run,
      startedAt,
      done: 0,
      total: targets.length,
      counts: { alive: 0, unreachable: 0, unknown: 0, unverifiable: 0 },
    };
    this.#progress = progress;
    this.#lookForCanaries(targets);
    try {
      const reported = inventory?.(model, startedAt).catch((error: unknown) => this.#noInventory(error));
      const verdicts = await this.#probe(targets, signal, progress, reportProgress);
      const report = await reported;
      return { judge: () => this.#judge(run, tick, targets, verdicts, report) };
    } finally {
      this.#progress = undefined;
    }
  }

  /** Warns about canaries that are not probed, most likely because an id is mistyped. */
  #lookForCanaries(targets: readonly ClusterToProbe[]): void {
    const { policies, shard } = this.options;
    const ids = new Set(targets.map(({ clusterId }) => clusterId));
    const missing = policies.breaker.canaries.filter(
      (clusterId) => shardOf(clusterId, shard.count) === shard.index && !ids.has(clusterId),
    );
    if (missing.length > 0)
      this.#dependencies.log.warn(
        { missing },
        'canaries are not among the probed clusters and have no effect',
      );
  }

  #noInventory(error: unknown): undefined {
    this.#dependencies.log.warn(
      { err: error },
      'the inventory cannot be read; the validator continues without it',
    );
    return undefined;
  }

  async #probe(
    targets: readonly ClusterToProbe[],
    signal: AbortSignal,
    progress: RunProgress,
    reportProgress: (progress: RunProgress) => Promise<unknown>,
  ): Promise<Map<string, Verdict>> {
    const { now, probes } = this.#dependencies;
    const verdicts = new Map<string, Verdict>();
    const add = (clusterId: string, verdict: Verdict) => {
      verdicts.set(clusterId, verdict);
      progress.counts[verdict.state]++;
      progress.done++;
    };
    const probeTargets: { clusterId: string; connection: string }[] = [];
    for (const { clusterId, connection } of targets) {
      if (connection !== undefined) probeTargets.push({ clusterId, connection });
      else add(clusterId, { state: 'unverifiable', code: 'no-credential', detail: NO_CREDENTIAL, at: now() });
    }
    let reportedAt = performance.now();
    for await (const { clusterId, verdict } of probes.probe(probeTargets, signal)) {
      if (signal.aborted) break;
      add(clusterId, verdict);
      if (performance.now() - reportedAt < PROGRESS_EVERY_MS) continue;
      reportedAt = performance.now();
      await reportProgress(progress);
    }
    return verdicts;
  }

  /** Judges the verdicts. It reads all input without an await in between, so the input is consistent. */
  #judge(
    run: string,
    tick: Instant,
    targets: readonly ClusterToProbe[],
    verdicts: ReadonlyMap<string, Verdict>,
    report: InventoryReport | undefined,
  ): RunPlan {
    const { policies, shard } = this.options;
    const { model } = this.#dependencies.projections;
    const { validations } = model;
    const decidedAt = this.#dependencies.now();
    const clusters = targets.flatMap(({ clusterId }): ProbedCluster[] => {
      const verdict = verdicts.get(clusterId);
      const cluster = clusterToProbe(model, model.clusters.find(clusterId) as number, decidedAt);
      if (verdict === undefined || cluster === undefined) return [];
      const inventory = report?.statusOf(clusterId) ?? 'unknown';
      return [{ ...cluster, inventory, history: validations.historyOf(clusterId), verdict }];
    });
    const name = shardName(shard);
    const judgement = judgeRun({
      run,
      shard: name,
      tick,
      decidedAt,
      policies,
      breaker: validations.breakerOf(name),
      proceedUntil: validations.decision?.until,
      clusters,
      conditions: (report?.conditions ?? []).filter(
        ({ subject }) => shardOf(subject, shard.count) === shard.index,
      ),
    });
    return { decidedAt, judgement };
  }

  async #record(conclusions: readonly Conclusion[]): Promise<void> {
    const { ledger, log } = this.#dependencies;
    for (let done = 0; done < conclusions.length; done += FACT_BATCH) {
      const submissions = conclusions.slice(done, done + FACT_BATCH).map(submissionOf);
      const outcomes = await ledger.record(submissions, { mayBackdate: true });
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.outcome === 'appended' || outcome.outcome === 'duplicate') continue;
        log.warn({ outcome, event: submissions[i]?.event }, 'a conclusion of the validator was not recorded');
      }
    }
  }
}

function progressOf({ done, total, counts }: RunProgress) {
  return { done, total, counts: { ...counts } };
}

const ORIGIN = { source: VALIDATOR_SOURCE, actor: 'validator' } as const;

/** Returns the submission of a fact, with the event that is kept if the fact is rejected. */
function submissionOf({ id, fact }: Conclusion): Submission {
  const origin = { ...ORIGIN, id };
  return { fact, origin, event: factToCloudEvent(fact, origin) };
}
