import { DECISIONS_STREAM, OUTAGE_DECIDED, runOfStream } from '../domain/stream-table.ts';
import { type Instant, readInstant } from '../domain/time.ts';
import type { Breaker } from '../domain/validation/judging/outage.ts';
import type { ProbeHistory } from '../domain/validation/judging/probe-history.ts';
import type { ActiveRun } from '../domain/validation/records/active-run.ts';
import { type RunEnd, RunFold, type ShardState } from '../domain/validation/records/run-fold.ts';
import { parseRunId, parseRunRecord } from '../domain/validation/records/run-record.ts';
import { completedRun, type Run, startedRun } from '../domain/validation/records/run-summary.ts';
import type { LogEvent } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import type { Position } from '../util/log-numbers.ts';
import { messageOf } from '../util/message-of.ts';

/** Maximum number of runs whose summaries are kept. Older ones can still be read from the store. */
export const RUNS_KEPT = 3_000;

/** Decision of an operator that runs record facts until an instant although the breaker is open. */
export interface OutageDecision {
  readonly until: Instant;
  readonly by: string;
  readonly note: string | undefined;
}

/** The runs of the validator and the state that the next run needs, folded from their records. */
export class ValidationBook {
  #fold = new RunFold();
  readonly #runs = new BoundedMap<string, Run>(RUNS_KEPT);
  #decision: OutageDecision | undefined;
  /** Events of runs that this release cannot read. Their runs have no effect. */
  readonly #odd: { readonly position: Position; readonly why: string }[] = [];

  /** Adds the next event of the log. @returns the runs that ended with it. */
  apply(event: LogEvent): readonly RunEnd[] {
    if (event.stream === DECISIONS_STREAM) this.#decide(event);
    const run = runOfStream(event.stream);
    if (run === undefined) return [];
    try {
      if (parseRunId(run) === undefined) throw new RangeError(`${run} is not the id of a run`);
      return this.#applyRecord(run, event);
    } catch (error) {
      const why = messageOf(error);
      if (this.#odd.length < 100) this.#odd.push({ position: event.position, why });
      const ended = this.#fold.abandon(run);
      for (const end of ended) this.#end(end);
      return ended;
    }
  }

  #applyRecord(run: string, event: LogEvent): readonly RunEnd[] {
    const record = parseRunRecord(event.type, event.data);
    const ended = this.#fold.apply(run, record, event.recordedAt);
    if (record.type === 'ValidationStarted') {
      this.#runs.set(run, startedRun(run, record.data, event));
    }
    for (const end of ended) this.#end(end);
    return ended;
  }

  #end(end: RunEnd): void {
    const run = this.#runs.get(end.run.run);
    if (run === undefined) return;
    if (end.outcome === 'abandoned') {
      this.#runs.set(run.run, { ...run, abandoned: end.why });
      return;
    }
    this.#runs.set(run.run, completedRun(run, end.summary, end.completedAt));
  }

  #decide({ type, data }: LogEvent): void {
    const until = readInstant(String(data['until']));
    if (type !== OUTAGE_DECIDED || Number.isNaN(until)) return;
    const note = typeof data['note'] === 'string' ? data['note'] : undefined;
    this.#decision = { until, by: String(data['by']), note };
  }

  /** Returns the probe history of a cluster; `undefined` if it has not been probed. */
  historyOf(clusterId: string): ProbeHistory | undefined {
    return this.#fold.historyOf(clusterId);
  }

  breakerOf(shard: string): Breaker {
    return this.#fold.breakerOf(shard);
  }

  /** Returns the state after the last completed run of a shard. The records of the next run are relative to it. */
  lastOf(shard: string): ShardState | undefined {
    return this.#fold.shards.get(shard);
  }

  /** The state of all shards after their last completed runs. */
  get shards(): Iterable<ShardState> {
    return this.#fold.shards.values();
  }

  get decision(): OutageDecision | undefined {
    return this.#decision;
  }

  /** Returns the runs that have started and whose deadline has not passed. */
  activeRuns(now: Instant): ActiveRun[] {
    return [...this.#fold.activeRuns.values()].filter(({ start }) => start.deadline >= now);
  }

  activeRun(run: string): ActiveRun | undefined {
    return this.#fold.activeRuns.get(run);
  }

  /** The latest runs, in the order in which they started. */
  get runs(): Run[] {
    return [...this.#runs.values()];
  }

  run(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  get odd(): readonly { readonly position: Position; readonly why: string }[] {
    return this.#odd;
  }

  /** The whole state, for a snapshot. */
  get parts() {
    return { fold: this.#fold.parts, runs: this.runs, decision: this.#decision, odd: this.#odd };
  }

  static restore({ fold, runs, decision, odd }: ValidationBook['parts']): ValidationBook {
    const book = new ValidationBook();
    book.#fold = RunFold.restore(fold);
    for (const run of runs) book.#runs.set(run.run, inOrder(run));
    book.#decision = decision;
    book.#odd.push(...odd);
    return book;
  }
}

/** Adds the members that JSON omits, so that a restored run equals a folded one. */
function inOrder({ result, abandoned, ...run }: Run): Run {
  return { ...run, result, abandoned };
}
