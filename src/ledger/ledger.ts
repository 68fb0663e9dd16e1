import { UnreadableFact } from '../domain/facts/fact.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { StoreFailed, StoreUnavailable, VersionConflict } from '../eventstore/store-errors.ts';
import { KeyedMutex } from '../util/keyed-mutex.ts';
import { withDeadline } from '../util/with-deadline.ts';
import { appendWithRetry, type Deadline, retryUntil, writeDeadline } from './append-with-retry.ts';
import { type CacheOptions, ClusterHistoryCache } from './cluster-history-cache.ts';
import { ClusterTurn, type Halted } from './cluster-turn.ts';
import { OutcomeUnknown, Overloaded, PartlyRecorded } from './ledger-errors.ts';
import type { StampedPosting } from './plan-append.ts';
import { type RejectedEvent, RejectedEventStore } from './rejected-event-store.ts';
import { SharedEventIds } from './shared-event-ids.ts';
import type { Caller, Outcome, Submission } from './submission.ts';

/** Maximum number of submissions in progress. */
const MAX_IN_PROGRESS = 20_000;

export interface LedgerOptions extends Pick<CacheOptions, 'isNew' | 'outlineOf' | 'outlinedFrom'> {
  /** The wall clock, in milliseconds since the epoch. The time of a fact is checked with it. */
  readonly now: () => number;
  /** Returns the time that events are stamped with (see `RecordingClock`). */
  readonly recordingTime: () => number;
  /** Maximum age of a fact whose caller may not backdate, in milliseconds. */
  readonly backdatingMs: number;
}

/**
 * The only way into the log: loads the facts of a cluster, decides on new facts, and appends them. If another process has
 * appended in the meantime, it starts again. Posting the same event again, at any time, returns `duplicate`; posting a
 * different event under the same id is rejected.
 */
export class Ledger {
  readonly #store: EventStore;
  readonly #options: LedgerOptions;
  readonly #histories: ClusterHistoryCache;
  readonly #rejected: RejectedEventStore;
  readonly #sharedIds: SharedEventIds;
  readonly #mutex = new KeyedMutex();
  #inProgress = 0;

  constructor(store: EventStore, options: LedgerOptions) {
    this.#store = store;
    this.#options = options;
    this.#histories = new ClusterHistoryCache(store, options);
    this.#rejected = new RejectedEventStore(store, options.recordingTime);
    this.#sharedIds = new SharedEventIds(store, options.recordingTime);
  }

  /**
   * Records each fact independently; a rejected fact does not affect the others. Facts of one cluster are appended together and
   * in order. Clusters are appended in the order of their first fact, so equal input always gets equal positions.
   * @returns the outcomes in the order of the submissions, once all accepted facts are durable and all rejected events are kept.
   * @throws OutcomeUnknown, StoreFailed if some facts may have been recorded: submit all again. @throws PartlyRecorded if some are.
   * @throws StoreUnavailable, StoreFull, Overloaded if no fact was recorded.
   */
  record(submissions: readonly Submission[], caller: Caller): Promise<Outcome[]> {
    if (this.#inProgress + submissions.length > MAX_IN_PROGRESS)
      return Promise.reject(new Overloaded('too many facts are waiting to be written'));
    this.#inProgress += submissions.length;
    const deadline = writeDeadline();
    const turns = turnsOf(submissions);
    const clusterIds = turns.map(({ clusterId }) => clusterId);
    const recorded = this.#mutex.runExclusive(clusterIds, () =>
      this.#recordLocked(submissions, turns, caller, deadline),
    );
    return withDeadline(
      recorded,
      deadline - performance.now(),
      () => new OutcomeUnknown('the store did not acknowledge in time'),
    );
  }

  #posting(caller: Caller): StampedPosting {
    const { now, recordingTime, backdatingMs } = this.#options;
    return { ...caller, now: now(), recordedAt: recordingTime(), backdatingMs };
  }

  /**
   * Keeps events that cannot become facts, as rejected events are kept.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async keepRejected(rejected: readonly RejectedEvent[]): Promise<void> {
    await this.#rejected.keep(rejected, writeDeadline());
  }

  async #recordLocked(
    submissions: readonly Submission[],
    turns: readonly ClusterTurn[],
    caller: Caller,
    deadline: Deadline,
  ): Promise<Outcome[]> {
    const outcomes = new Array<Outcome>(submissions.length);
    try {
      await this.#recordTurns(turns, caller, deadline, outcomes);
      const { rejected, appended } = notable(submissions, outcomes);
      if (rejected.length > 0) await this.#rejected.keep(rejected, deadline);
      const shared = this.#sharedIds.note(appended);
      if (shared.length > 0) await this.#sharedIds.warn(shared, deadline);
    } catch (error) {
      // The histories have facts that may not be recorded.
      for (const turn of turns) if (!turn.isSettled) this.#histories.forget(turn.clusterId);
      const recorded = outcomes.filter((outcome) => outcome?.outcome === 'appended').length;
      if (recorded === 0 || isUncertain(error)) throw error;
      throw new PartlyRecorded(recorded, submissions.length, { cause: error });
    } finally {
      this.#inProgress -= submissions.length;
    }
    return outcomes;
  }

  /**
   * Plans the facts of all clusters, appends them at once, and finishes what that did not record. It waits only for what there
   * is: every further promise is garbage, of which each fact made sixty.
   */
  async #recordTurns(
    turns: readonly ClusterTurn[],
    caller: Caller,
    deadline: Deadline,
    outcomes: Outcome[],
  ): Promise<void> {
    for (const turn of turns) turn.loaded = this.#histories.cached(turn.clusterId);
    const unread = turns.filter((turn) => turn.mustRead);
    if (unread.length > 0) await Promise.all(unread.map((turn) => this.#read(turn, deadline)));
    if (performance.now() > deadline)
      throw new StoreUnavailable('an earlier write to the same cluster took too long');
    const posting = this.#posting(caller);
    const stale = turns.filter((turn) => !turn.plan(posting));
    // All histories are read before the first append, so that reading does not change the order of the appends.
    if (stale.length > 0) await Promise.all(stale.map((turn) => this.#planAgain(turn, posting, deadline)));
    const appends = turns.map(({ append }) => append).filter((append) => append !== undefined);
    const results = appends.length === 0 ? [] : await this.#store.appendAll(appends);
    const unfinished: Promise<void>[] = [];
    let next = 0;
    for (const turn of turns) {
      const result = turn.append === undefined ? undefined : results[next++];
      if (result?.status !== 'rejected') this.#settle(turn, outcomes);
      if (turn.isSettled) continue;
      const failure = result?.status === 'rejected' ? Promise.reject<number>(result.reason) : undefined;
      unfinished.push(this.#finish(turn, failure, { caller, deadline, outcomes }));
    }
    if (unfinished.length === 0) return;
    // All appends must have ended before the lock is released: an append in progress would conflict with the next call.
    const reasons = (await Promise.allSettled(unfinished)).flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    // If the outcome of one append is unknown, so is that of the whole call.
    if (reasons.length > 0) throw reasons.find(isUncertain) ?? reasons[0];
  }

  async #read(turn: ClusterTurn, deadline: Deadline): Promise<void> {
    const { clusterId, origins } = turn;
    const cached = this.#histories.cached(clusterId);
    turn.loaded = await retryUntil(async () => {
      if (cached === undefined) return this.#histories.reload(clusterId, origins);
      await this.#histories.readRepeats(clusterId, cached.history, origins);
      return cached;
    }, deadline).catch(haltedOr(clusterId));
  }

  /** Plans on the facts in the store, because the history in memory may lack some of them. */
  async #planAgain(turn: ClusterTurn, posting: StampedPosting, deadline: Deadline): Promise<void> {
    this.#histories.forget(turn.clusterId);
    await this.#read(turn, deadline);
    turn.plan(posting);
  }

  /** Repeats the append of a turn while its outcome is unknown, and then plans and appends the rest. */
  async #finish(
    turn: ClusterTurn,
    failure: Promise<number> | undefined,
    { caller, deadline, outcomes }: { caller: Caller; deadline: Deadline; outcomes: Outcome[] },
  ): Promise<void> {
    let isRecorded = failure === undefined || (await this.#append(turn, deadline, failure));
    if (failure !== undefined && isRecorded) this.#settle(turn, outcomes);
    while (!turn.isSettled) {
      if (performance.now() > deadline) throw new OutcomeUnknown('the facts of the cluster kept changing');
      const posting = this.#posting(caller);
      if (!isRecorded || !turn.plan(posting)) await this.#planAgain(turn, posting, deadline);
      isRecorded = await this.#append(turn, deadline);
      if (isRecorded) this.#settle(turn, outcomes);
    }
  }

  /**
   * Makes the append of a turn.
   * @param first the result of the first attempt, if it was made already.
   * @returns false if another process has appended to the stream in the meantime; nothing was written then.
   */
  async #append({ append }: ClusterTurn, deadline: Deadline, first?: Promise<number>): Promise<boolean> {
    if (append === undefined) return true;
    try {
      await appendWithRetry(this.#store, append, deadline, first);
      return true;
    } catch (error) {
      if (error instanceof VersionConflict) return false;
      throw error;
    }
  }

  #settle(turn: ClusterTurn, outcomes: Outcome[]): void {
    const { clusterId, loaded } = turn;
    if (loaded !== undefined && 'history' in loaded) this.#histories.keep(clusterId, loaded.history);
    turn.settle(outcomes);
  }
}

/** Returns the turns of the clusters, in the order of their first submissions. */
function turnsOf(submissions: readonly Submission[]): ClusterTurn[] {
  const turns: ClusterTurn[] = [];
  // A single event, which is the most frequent request, needs no map.
  const byCluster = submissions.length === 1 ? undefined : new Map<string, ClusterTurn>();
  for (const [i, submission] of submissions.entries()) {
    const { clusterId } = submission.fact;
    const known = byCluster?.get(clusterId);
    if (known !== undefined) {
      known.add(submission, i);
      continue;
    }
    const turn = new ClusterTurn(submission, i);
    turns.push(turn);
    byCluster?.set(clusterId, turn);
  }
  return turns;
}

/** Returns the events that are kept because they were rejected, and the submissions whose facts were appended. */
function notable(
  submissions: readonly Submission[],
  outcomes: readonly Outcome[],
): { readonly rejected: readonly RejectedEvent[]; readonly appended: readonly Submission[] } {
  const rejected: RejectedEvent[] = [];
  const appended: Submission[] = [];
  for (const [i, submission] of submissions.entries()) {
    const outcome = outcomes[i];
    if (outcome?.outcome === 'appended') appended.push(submission);
    if (outcome?.outcome !== 'rejected') continue;
    const { origin, event, fact } = submission;
    const { source, id, actor } = origin;
    rejected.push({ source, id, actor, clusterId: fact.clusterId, event, rejection: outcome.rejection });
  }
  return { rejected, appended };
}

/** Whether an error says that facts may have been recorded. */
function isUncertain(error: unknown): boolean {
  return error instanceof OutcomeUnknown || error instanceof StoreFailed;
}

function haltedOr(clusterId: string): (error: unknown) => Halted {
  return (error) => {
    if (error instanceof UnreadableFact) return { outcome: 'halted', clusterId, why: error.message };
    throw error;
  };
}
