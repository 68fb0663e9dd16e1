import type { Instant } from '../../time.ts';
import { type Condition, conditionId } from '../judging/condition.ts';
import type { Breaker } from '../judging/outage.ts';
import {
  type Announced,
  NO_HISTORY,
  type ProbeHistory,
  withListing,
  withSameListing,
  withSameVerdict,
  withVerdict,
} from '../judging/probe-history.ts';
import type { Verdict } from '../judging/verdict.ts';
import { type ActiveRun, newActiveRun, parseAnnounced, withJudged, withRecorded } from './active-run.ts';
import { parseProbeHistory, serializeProbeHistory } from './probe-history-json.ts';
import type { Counts, DataOf, RunRecord } from './run-record.ts';
import type { PreviousRun } from './write-run.ts';

/** How a run ended. */
export type RunEnd =
  | {
      readonly outcome: 'completed';
      readonly run: ActiveRun;
      readonly summary: DataOf<'ValidationCompleted'>;
      readonly completedAt: Instant;
      /** New conditions, conditions that changed, and the ids of conditions that ended with this run. */
      readonly began: readonly Condition[];
      readonly changed: readonly Condition[];
      readonly ended: readonly string[];
    }
  /** The run has no effect. */
  | {
      readonly outcome: 'abandoned';
      readonly run: ActiveRun;
      readonly why: 'late' | 'out-of-order' | 'unreadable';
    };

/** State of a shard after its last completed run. */
export interface ShardState extends PreviousRun {
  readonly shard: string;
  readonly tick: Instant;
  readonly completedAt: Instant;
  readonly everyMs: number | undefined;
  readonly counts: Counts;
  readonly breaker: Breaker;
  /** Number of completed runs of the shard. */
  readonly completedRuns: number;
}

interface Entry {
  readonly history: ProbeHistory;
  readonly shard: string;
  /** Number of completed runs of the shard that the history includes. The verdict did not change in later runs. */
  readonly appliedRuns: number;
}

const CLOSED: Breaker = { open: false };

/**
 * Folds the records of runs into the state that the next run needs. Unchanged verdicts are not recorded: a history
 * is brought up to date when it is read.
 */
export class RunFold {
  readonly #shards = new Map<string, ShardState>();
  readonly #entries = new Map<string, Entry>();
  readonly #activeRuns = new Map<string, ActiveRun>();

  get shards(): ReadonlyMap<string, ShardState> {
    return this.#shards;
  }

  /** Runs that have begun, by id. A run past its deadline will have no effect. */
  get activeRuns(): ReadonlyMap<string, ActiveRun> {
    return this.#activeRuns;
  }

  breakerOf(shard: string): Breaker {
    return this.#shards.get(shard)?.breaker ?? CLOSED;
  }

  /** Returns the history of a cluster after the last completed run; `undefined` if the cluster is not probed. */
  historyOf(clusterId: string): ProbeHistory | undefined {
    const entry = this.#entries.get(clusterId);
    return entry === undefined ? undefined : this.#currentHistory(entry);
  }

  #currentHistory({ history, shard, appliedRuns }: Entry): ProbeHistory {
    const state = this.#shards.get(shard);
    if (state === undefined) return history;
    const runs = state.completedRuns - appliedRuns;
    return withSameListing(withSameVerdict(history, runs, state.tick), runs, state.tick);
  }

  /** Yields the verdicts of the last completed run of a shard. */
  *verdictsOf(shard: string): Generator<readonly [clusterId: string, verdict: Verdict]> {
    const state = this.#shards.get(shard);
    if (state === undefined) return;
    for (const clusterId of state.members) {
      const last = this.#entries.get(clusterId)?.history.last;
      if (last !== undefined) yield [clusterId, { ...last, at: Math.max(last.at, state.tick) }];
    }
  }

  /**
   * Adds the next record of a run.
   * @param recordedAt by the clock of the process that recorded it.
   * @returns the runs that ended with this record.
   */
  apply(run: string, record: RunRecord, recordedAt: Instant): readonly RunEnd[] {
    if (record.type === 'ValidationStarted') return this.#start(run, record.data, recordedAt);
    const active = this.#activeRuns.get(run);
    if (active === undefined) return [];
    switch (record.type) {
      case 'ValidationProgressed':
        this.#activeRuns.set(run, { ...active, progress: record.data });
        return [];
      case 'ValidationRecorded':
        this.#activeRuns.set(run, withRecorded(active, record.data));
        return [];
      case 'ValidationJudged':
        this.#activeRuns.set(run, withJudged(active, record.data));
        return [];
      case 'ValidationCompleted':
        this.#activeRuns.delete(run);
        return [this.#complete(active, record.data, recordedAt)];
    }
  }

  /** Ends a run that has an unreadable record. The run has no effect. */
  abandon(run: string): readonly RunEnd[] {
    const active = this.#activeRuns.get(run);
    this.#activeRuns.delete(run);
    return active === undefined ? [] : [{ outcome: 'abandoned', run: active, why: 'unreadable' }];
  }

  #start(run: string, start: DataOf<'ValidationStarted'>, startedAt: Instant): RunEnd[] {
    const ended: RunEnd[] = [];
    for (const earlier of this.#activeRuns.values()) {
      if (earlier.start.deadline >= startedAt) continue;
      this.#activeRuns.delete(earlier.run);
      ended.push({ outcome: 'abandoned', run: earlier, why: 'late' });
    }
    this.#activeRuns.set(run, newActiveRun(run, start, startedAt));
    return ended;
  }

  #complete(run: ActiveRun, summary: DataOf<'ValidationCompleted'>, completedAt: Instant): RunEnd {
    if (completedAt > run.start.deadline) return { outcome: 'abandoned', run, why: 'late' };
    const { shard, tick } = run.start;
    const before = this.#shards.get(shard);
    if (summary.base !== (before?.run ?? null)) return { outcome: 'abandoned', run, why: 'out-of-order' };
    const dropped = before === undefined ? this.#dropOtherShardCounts(shard) : [];
    const [changed, began] = partition(
      run.raised,
      (condition) => before?.conditions.has(conditionId(condition)) === true,
    );
    const ids = new Set(began.map(conditionId));
    const ended = [...run.resolved, ...dropped.filter((id) => !ids.has(id))];

    const completedRuns = (before?.completedRuns ?? 0) + 1;
    const verdicts = new Map(run.changes);
    const statuses = new Map(run.listings);
    for (const clusterId of new Set([...verdicts.keys(), ...statuses.keys()])) {
      const [verdict, status] = [verdicts.get(clusterId), statuses.get(clusterId)];
      const entry = this.#entries.get(clusterId);
      const history = entry === undefined ? NO_HISTORY : this.#currentHistory(entry);
      const probed =
        verdict === undefined ? withSameVerdict(history, 1, tick) : withVerdict(history, verdict, tick);
      this.#entries.set(clusterId, {
        history: status === undefined ? withSameListing(probed, 1, tick) : withListing(probed, status, tick),
        shard,
        appliedRuns: completedRuns,
      });
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
      completedRuns,
    });
    for (const [clusterId, ...marks] of run.marks)
      this.#setAnnounced(clusterId, parseAnnounced(marks), shard, completedRuns);
    return { outcome: 'completed', run, summary, completedAt, began, changed, ended };
  }

  #setAnnounced(clusterId: string, announced: Announced, shard: string, appliedRuns: number): void {
    const entry = this.#entries.get(clusterId);
    if (entry === undefined) return;
    this.#entries.set(clusterId, {
      history: { ...this.#currentHistory(entry), announced },
      shard,
      appliedRuns,
    });
  }

  /**
   * Drops the shards of another shard count after the fleet was divided anew. The histories of their clusters are
   * kept.
   * @returns the ids of the conditions of the dropped shards.
   */
  #dropOtherShardCounts(shard: string): string[] {
    const dropped: string[] = [];
    const shardCount = shard.split('of')[1];
    for (const { shard: other, conditions } of [...this.#shards.values()]) {
      if (other.split('of')[1] === shardCount) continue;
      for (const [clusterId, entry] of this.#entries) {
        if (entry.shard !== other) continue;
        this.#entries.set(clusterId, { history: this.#currentHistory(entry), shard: '', appliedRuns: 0 });
      }
      dropped.push(...conditions.keys());
      this.#shards.delete(other);
    }
    return dropped;
  }

  /** The whole state as plain JSON; equal records give equal JSON. */
  get parts() {
    return {
      shards: Array.from(this.#shards.values(), ({ members, conditions, ...state }) => ({
        ...state,
        members: [...members],
        conditions: [...conditions.values()],
      })),
      entries: Array.from(this.#entries, ([clusterId, { history, shard, appliedRuns }]) => {
        return [clusterId, shard, appliedRuns, serializeProbeHistory(history)] as const;
      }),
      underWay: [...this.#activeRuns.values()],
    };
  }

  static restore({ shards, entries, underWay }: RunFold['parts']): RunFold {
    const fold = new RunFold();
    for (const { members, conditions, ...state } of shards) {
      const byId = new Map(conditions.map((condition) => [conditionId(condition), condition]));
      fold.#shards.set(state.shard, { ...state, members: new Set(members), conditions: byId });
    }
    for (const [clusterId, shard, appliedRuns, history] of entries)
      fold.#entries.set(clusterId, { history: parseProbeHistory(history), shard, appliedRuns });
    for (const { run, start, startedAt, progress, ...gathered } of underWay)
      fold.#activeRuns.set(run, { run, start, startedAt, progress, ...gathered });
    return fold;
  }
}

function membersOf(
  before: PreviousRun | undefined,
  { changes, left }: ActiveRun,
  full: boolean,
): ReadonlySet<string> {
  if (!full && before !== undefined && changes.length + left.length === 0) return before.members;
  const members = new Set(full ? [] : before?.members);
  for (const [clusterId] of changes) members.add(clusterId);
  for (const clusterId of left) members.delete(clusterId);
  return members;
}

function conditionsOf(
  before: PreviousRun | undefined,
  { raised, resolved }: ActiveRun,
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
