import { randomUUID } from 'node:crypto';
import type { Fact } from '../domain/facts/fact.ts';
import { serializeFact } from '../domain/facts/recorded-fact.ts';
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
import type { Ledger, Submission } from '../ledger/ledger.ts';
import type { ClaimedRun, ValidationRuns } from '../ledger/validation-runs.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';
import {
  type ClusterToProbe,
  clustersToProbe,
  clusterToProbe,
} from '../projections/queries/clusters-to-probe.ts';
import type { Logger } from '../util/logger.ts';
import { modelAtHead } from './model-at-head.ts';

/** Asks clusters, each once; what a probe cannot find out is a verdict too. */
export interface Probes {
  probe(
    targets: Iterable<{ readonly clusterId: string; readonly connection: string }>,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly clusterId: string; readonly verdict: Verdict }>;
}

/** What a second source says of the fleet. */
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
  /** Compares the inventory of the platform with the ledger; absent where there is none. */
  readonly inventory?: ((model: LedgerModel, now: Instant) => Promise<InventoryReport>) | undefined;
  readonly now: () => Instant;
  readonly log: Logger;
}

export interface ValidatorOptions {
  readonly policies: Policies;
  readonly shard: Shard;
  /** A run that has not ended after so many ms is given up. */
  readonly deadlineMs: number;
}

export interface RunRequest {
  readonly trigger: Trigger;
  readonly actor: string;
  /** The instant that the run stands for; whole minutes for a schedule, so that replicas meet at one run. */
  readonly tick: Instant;
  /** Time from one scheduled run to the next, in ms. */
  readonly everyMs?: number;
}

/** How far a run of this process is. */
export interface RunProgress {
  readonly run: string;
  readonly startedAt: Instant;
  done: number;
  readonly total: number;
  readonly counts: Counts;
}

/** Of two that would begin, one does; a run before it that is still under way goes first. */
export type BeginOutcome =
  | { readonly outcome: 'begun'; readonly run: string; readonly finished: Promise<RunOutcome> }
  | { readonly outcome: 'taken'; readonly run: string };

export type RunOutcome =
  | { readonly outcome: 'completed'; readonly run: string; readonly judgement: Judgement }
  /** It came past its deadline, or was told to end: it counts for nothing, and the next run asks everybody again. */
  | { readonly outcome: 'abandoned'; readonly run: string; readonly why: string };

export interface RunPlan {
  readonly decidedAt: Instant;
  readonly judgement: Judgement;
}

const PROGRESS_EVERY_MS = 10_000;
/** Facts recorded at a time. */
const FACT_BATCH = 500;
const NO_CREDENTIAL = 'its registration names no connection';

/** Runs the validator: asks every cluster of a shard, has the verdicts judged, and records what follows from them. */
export class RunValidation {
  readonly #dependencies: ValidatorDependencies;
  readonly options: ValidatorOptions;
  readonly #stop = new AbortController();
  /** Tells processes apart. */
  readonly #instance = randomUUID().slice(0, 8);
  #progress: RunProgress | undefined;
  #claiming: Promise<unknown> = Promise.resolve();

  constructor(rooms: ValidatorDependencies, options: ValidatorOptions) {
    this.#dependencies = rooms;
    this.options = options;
  }

  /** The run that this process is at. */
  get progress(): Readonly<RunProgress> | undefined {
    return this.#progress;
  }

  /** Gives up the run under way. */
  stop(): void {
    this.#stop.abort();
  }

  /** What a run would do now. Nothing is written. @throws NotCaughtUp */
  async plan(): Promise<RunPlan> {
    const model = await modelAtHead(this.#dependencies.store, this.#dependencies.projections);
    const tick = this.#dependencies.now();
    const signal = this.#signal(tick + this.options.deadlineMs);
    const run = `dry-${formatInstant(tick)}`;
    const probed = await this.#probeAll(model, run, tick, signal, async () => undefined);
    return probed.judge();
  }

  /**
   * Claims a run, and goes on with it.
   * @returns `taken`, with the run that is under way, where this process is not to do it.
   * @throws NotCaughtUp, OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  begin(request: RunRequest): Promise<BeginOutcome> {
    // One after the other: two of this process must not take each other's claim for their own.
    const begun = this.#claiming.then(() => this.#begin(request));
    this.#claiming = begun.catch(() => undefined);
    return begun;
  }

  async #begin(request: RunRequest): Promise<BeginOutcome> {
    const { shard, policies, deadlineMs } = this.options;
    const { now, projections, runs, store } = this.#dependencies;
    const run = runId(request.tick, shard);
    const model = await modelAtHead(this.#dependencies.store, this.#dependencies.projections);
    const name = shardName(shard);
    const other = model.validations.activeRuns(now()).find(({ start }) => start.shard === name);
    if (other !== undefined) return { outcome: 'taken', run: other.run };

    const startedAt = now();
    const deadline = startedAt + deadlineMs;
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
    const { now, projections, runs, store } = this.#dependencies;
    const { policies, shard } = this.options;
    const { run } = claimed;
    const signal = this.#signal(deadline);
    let last = claimed;
    const tell = async (progress: RunProgress) => {
      last = await runs.append(last, [{ type: 'ValidationProgressed', data: progressOf(progress) }]);
    };
    const probed = await this.#probeAll(projections.model, run, tick, signal, tell);
    if (signal.aborted) return this.#abandoned(run, 'it was not done by its deadline');

    const { decidedAt, judgement } = probed.judge();
    await this.#record(judgement.facts);
    if (now() >= deadline) return this.#abandoned(run, 'its facts were not recorded by its deadline');
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

  /** The clusters of the shard that are to be asked. */
  #targets(model: LedgerModel, now: Instant): ClusterToProbe[] {
    const { policies, shard } = this.options;
    const all = Array.from(clustersToProbe(model, policies, now));
    return shard.count === 1
      ? all
      : all.filter(({ clusterId }) => shardOf(clusterId, shard.count) === shard.index);
  }

  #abandoned(run: string, why: string): RunOutcome {
    this.#dependencies.log.warn({ run, why }, 'a validation was given up; the next one asks everybody again');
    return { outcome: 'abandoned', run, why };
  }

  #signal(deadline: Instant): AbortSignal {
    const left = Math.max(0, deadline - this.#dependencies.now());
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(left)]);
  }

  async #probeAll(
    model: LedgerModel,
    run: string,
    tick: Instant,
    signal: AbortSignal,
    tell: (progress: RunProgress) => Promise<unknown>,
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
      const verdicts = await this.#probe(targets, signal, progress, tell);
      const report = await reported;
      return { judge: () => this.#judge(run, tick, targets, verdicts, report) };
    } finally {
      this.#progress = undefined;
    }
  }

  /** A canary that is not there guards nobody: most likely its name is mistyped. */
  #lookForCanaries(targets: readonly ClusterToProbe[]): void {
    const { policies, shard } = this.options;
    const ids = new Set(targets.map(({ clusterId }) => clusterId));
    const missing = policies.breaker.canaries.filter(
      (clusterId) => shardOf(clusterId, shard.count) === shard.index && !ids.has(clusterId),
    );
    if (missing.length > 0)
      this.#dependencies.log.warn(
        { missing },
        'these canaries are no clusters that are probed, and guard nobody',
      );
  }

  #noInventory(error: unknown): undefined {
    this.#dependencies.log.warn(
      { err: error },
      'the inventory cannot be read; the validator goes on without it',
    );
    return undefined;
  }

  async #probe(
    targets: readonly ClusterToProbe[],
    signal: AbortSignal,
    progress: RunProgress,
    tell: (progress: RunProgress) => Promise<unknown>,
  ): Promise<Map<string, Verdict>> {
    const { now, probes } = this.#dependencies;
    const verdicts = new Map<string, Verdict>();
    const add = (clusterId: string, verdict: Verdict) => {
      verdicts.set(clusterId, verdict);
      progress.counts[verdict.state]++;
      progress.done++;
    };
    const asked: { clusterId: string; connection: string }[] = [];
    for (const { clusterId, connection } of targets) {
      if (connection !== undefined) asked.push({ clusterId, connection });
      else add(clusterId, { state: 'unverifiable', code: 'no-credential', detail: NO_CREDENTIAL, at: now() });
    }
    let toldAt = performance.now();
    for await (const { clusterId, verdict } of probes.probe(asked, signal)) {
      if (signal.aborted) break;
      add(clusterId, verdict);
      if (performance.now() - toldAt < PROGRESS_EVERY_MS) continue;
      toldAt = performance.now();
      await tell(progress);
    }
    return verdicts;
  }

  /** Everything that the judgement rests on is read here, without an await in between. */
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

/** The fact as it is recorded, and as it would be shown where it is refused. */
function submissionOf({ id, fact }: Conclusion): Submission {
  const origin = { ...ORIGIN, id };
  return { fact, origin, event: postedForm(fact, id) };
}

function postedForm(fact: Fact, id: string): Submission['event'] {
  const { type, data } = serializeFact(fact, { ...ORIGIN, id });
  return { id, source: VALIDATOR_SOURCE, type, data } as Submission['event'];
}
