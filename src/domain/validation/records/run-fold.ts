import type { Instant } from '../../time.ts';
import { type Condition, conditionId } from '../judging/condition.ts';
import type { Breaker } from '../judging/outage.ts';
import {
  type Announced,
  NO_HISTORY,
  type ProbeHistory,
  withSameVerdict,
  withVerdict,
} from '../judging/probe-history.ts';
import type { Verdict } from '../judging/verdict.ts';
import { parseProbeHistory, serializeProbeHistory } from './probe-history-json.ts';
import type { Counts, DataOf, RunRecord } from './run-record.ts';
import { begin, marksOf, type RunUnderWay, withJudged, withRecorded } from './run-under-way.ts';
import type { RunBefore } from './write-run.ts';

/** What became of a run. */
export type RunEnd =
  | {
      readonly outcome: 'completed';
      readonly run: RunUnderWay;
      readonly summary: DataOf<'ValidationCompleted'>;
      readonly completedAt: Instant;
      /** Conditions that began to hold with it, those that still hold and are no longer the same, and ids of those that ended. */
      readonly began: readonly Condition[];
      readonly changed: readonly Condition[];
      readonly ended: readonly string[];
    }
  /** It counts for nothing. */
  | {
      readonly outcome: 'abandoned';
      readonly run: RunUnderWay;
      readonly why: 'late' | 'out-of-order' | 'unreadable';
    };

/** A shard as its last completed run left it. */
export interface ShardState extends RunBefore {
  readonly shard: string;
  readonly tick: Instant;
  readonly completedAt: Instant;
  readonly everyMs: number | undefined;
  readonly counts: Counts;
  readonly breaker: Breaker;
  /** How many of its runs were completed. */
  readonly index: number;
}

interface Entry {
  readonly watch: ProbeHistory;
  readonly shard: string;
  /** `index` of the shard up to which the watch has seen its runs: later ones said that nothing has changed. */
  readonly seen: number;
}

const CLOSED: Breaker = { open: false };

/**
 * Folds the records of runs into what the next run must know. What did not change is not in the records and costs nothing
 * here: a watch is brought up to date when it is asked for.
 */
export class RunFold {
  readonly #shards = new Map<string, ShardState>();
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, RunUnderWay>();

  get shards(): ReadonlyMap<string, ShardState> {
    return this.#shards;
  }

  /** Runs that have begun, by id; those past their deadline will count for nothing. */
  get underWay(): ReadonlyMap<string, RunUnderWay> {
    return this.#underWay;
  }

  breakerOf(shard: string): Breaker {
    return this.#shards.get(shard)?.breaker ?? CLOSED;
  }

  /** What is remembered of a cluster after the last completed run; `undefined` where it is not probed. */
  watchOf(clusterId: string): ProbeHistory | undefined {
    const entry = this.#entries.get(clusterId);
    return entry === undefined ? undefined : this.#upToDate(entry);
  }

  #upToDate({ watch, shard, seen }: Entry): ProbeHistory {
    const state = this.#shards.get(shard);
    return state === undefined ? watch : withSameVerdict(watch, state.index - seen, state.tick);
  }

  /** The verdicts of the last completed run of a shard, each as the run had it. */
  *verdictsOf(shard: string): Generator<readonly [clusterId: string, verdict: Verdict]> {
    const state = this.#shards.get(shard);
    for (const clusterId of state?.members ?? []) {
      const last = this.#entries.get(clusterId)?.watch.last;
      if (last !== undefined && state !== undefined)
        yield [clusterId, last.at >= state.tick ? last : { ...last, at: state.tick }];
    }
  }

  /**
   * Adds the next record of a run.
   * @param recordedAt by the clock of who recorded it.
   * @returns the runs that ended with it.
   */
  apply(run: string, record: RunRecord, recordedAt: Instant): readonly RunEnd[] {
    if (record.type === 'ValidationStarted') return this.#start(run, record.data, recordedAt);
    const under = this.#underWay.get(run);
    if (under === undefined) return [];
    switch (record.type) {
      case 'ValidationProgressed':
        this.#underWay.set(run, { ...under, progress: record.data });
        return [];
      case 'ValidationRecorded':
        this.#underWay.set(run, withRecorded(under, record.data));
        return [];
      case 'ValidationJudged':
        this.#underWay.set(run, withJudged(under, record.data));
        return [];
      case 'ValidationCompleted':
        this.#underWay.delete(run);
        return [this.#complete(under, record.data, recordedAt)];
    }
  }

  /** A record of the run cannot be read: it counts for nothing. */
  abandon(run: string): readonly RunEnd[] {
    const under = this.#underWay.get(run);
    this.#underWay.delete(run);
    return under === undefined ? [] : [{ outcome: 'abandoned', run: under, why: 'unreadable' }];
  }

  #start(run: string, start: DataOf<'ValidationStarted'>, startedAt: Instant): RunEnd[] {
    const ended: RunEnd[] = [];
    for (const other of this.#underWay.values()) {
      if (other.start.deadline >= startedAt) continue;
      this.#underWay.delete(other.run);
      ended.push({ outcome: 'abandoned', run: other, why: 'late' });
    }
    this.#underWay.set(run, begin(run, start, startedAt));
    return ended;
  }

  #complete(run: RunUnderWay, summary: DataOf<'ValidationCompleted'>, completedAt: Instant): RunEnd {
    if (completedAt > run.start.deadline) return { outcome: 'abandoned', run, why: 'late' };
    const { shard, tick } = run.start;
    const before = this.#shards.get(shard);
    if (summary.base !== (before?.run ?? null)) return { outcome: 'abandoned', run, why: 'out-of-order' };
    const forgotten = before === undefined ? this.#forgetOtherCuts(shard) : [];
    const [changed, began] = partition(
      run.raised,
      (each) => before?.conditions.has(conditionId(each)) === true,
    );
    const ids = new Set(began.map(conditionId));
    const ended = [...run.resolved, ...forgotten.filter((id) => !ids.has(id))];

    const index = (before?.index ?? 0) + 1;
    for (const [clusterId, verdict] of run.changes) {
      const entry = this.#entries.get(clusterId);
      const watch = entry === undefined ? NO_HISTORY : this.#upToDate(entry);
      this.#entries.set(clusterId, { watch: withVerdict(watch, verdict, tick), shard, seen: index });
    }
    for (const clusterId of run.left) this.#entries.delete(clusterId);
    this.#shards.set(shard, {
      shard,
      run: run.run,
      policies: run.start.policies,
      fullAt: summary.full ? tick : (before?.fullAt ?? tick),
      members: membersOf(before, run, summary.full),
      conditions: conditionsOf(before, run),
      tick,
      completedAt,
      everyMs: run.start.everyMs,
      counts: summary.counts,
      breaker: summary.breaker,
      index,
    });
    for (const [clusterId, ...marks] of run.marks) this.#mark(clusterId, marksOf(marks), shard, index);
    return { outcome: 'completed', run, summary, completedAt, began, changed, ended };
  }

  #mark(clusterId: string, marks: Announced, shard: string, seen: number): void {
    const entry = this.#entries.get(clusterId);
    if (entry === undefined) return;
    this.#entries.set(clusterId, { watch: { ...this.#upToDate(entry), announced: marks }, shard, seen });
  }

  /**
   * The fleet is cut into another number of shards from now on: what those before have seen is kept, they are not.
   * @returns the ids of the conditions that they had found.
   */
  #forgetOtherCuts(shard: string): string[] {
    const forgotten: string[] = [];
    const of = shard.split('of')[1];
    for (const other of [...this.#shards.keys()]) {
      if (other.split('of')[1] === of) continue;
      for (const [clusterId, entry] of this.#entries) {
        if (entry.shard !== other) continue;
        this.#entries.set(clusterId, { watch: this.#upToDate(entry), shard: '', seen: 0 });
      }
      forgotten.push(...(this.#shards.get(other)?.conditions.keys() ?? []));
      this.#shards.delete(other);
    }
    return forgotten;
  }

  /** All of it as plain JSON, the same for the same records. */
  get parts() {
    return {
      shards: Array.from(this.#shards.values(), ({ members, conditions, ...state }) => ({
        ...state,
        members: [...members],
        conditions: [...conditions.values()],
      })),
      entries: Array.from(this.#entries, ([clusterId, { watch, shard, seen }]) => {
        return [clusterId, shard, seen, serializeProbeHistory(watch)] as const;
      }),
      underWay: [...this.#underWay.values()],
    };
  }

  static restore({ shards, entries, underWay }: RunFold['parts']): RunFold {
    const fold = new RunFold();
    for (const { members, conditions, ...state } of shards) {
      const byId = new Map(conditions.map((condition) => [conditionId(condition), condition]));
      fold.#shards.set(state.shard, { ...state, members: new Set(members), conditions: byId });
    }
    for (const [clusterId, shard, seen, watch] of entries)
      fold.#entries.set(clusterId, { watch: parseProbeHistory(watch), shard, seen });
    for (const { run, start, startedAt, progress, ...gathered } of underWay)
      fold.#underWay.set(run, { run, start, startedAt, progress, ...gathered });
    return fold;
  }
}

function membersOf(
  before: RunBefore | undefined,
  { changes, left }: RunUnderWay,
  full: boolean,
): ReadonlySet<string> {
  if (!full && before !== undefined && changes.length + left.length === 0) return before.members;
  const members = new Set(full ? [] : before?.members);
  for (const [clusterId] of changes) members.add(clusterId);
  for (const clusterId of left) members.delete(clusterId);
  return members;
}

function conditionsOf(
  before: RunBefore | undefined,
  { raised, resolved }: RunUnderWay,
): ReadonlyMap<string, Condition> {
  if (before !== undefined && raised.length + resolved.length === 0) return before.conditions;
  const conditions = new Map(before?.conditions);
  for (const id of resolved) conditions.delete(id);
  for (const condition of raised) conditions.set(conditionId(condition), condition);
  return conditions;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [first: T[], second: T[]] {
  const [first, second]: [T[], T[]] = [[], []];
  for (const item of items) (isFirst(item) ? first : second).push(item);
  return [first, second];
}
