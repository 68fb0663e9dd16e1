import { UnreadableFact } from '../domain/facts/fact.ts';
import { serializeFact } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import { StoreUnavailable, VersionConflict } from '../eventstore/store-errors.ts';
import { KeyedMutex } from '../util/keyed-mutex.ts';
import { withDeadline } from '../util/with-deadline.ts';
import type { ClusterHistory, RecordedFact } from './cluster-history.ts';
import { ClusterHistoryCache, type LoadedHistory } from './cluster-history-cache.ts';
import { OutcomeUnknown, Overloaded } from './ledger-errors.ts';
import { planFor, type StampedPosting } from './plan-append.ts';
import { type RejectedEvent, RejectedEventStore } from './rejected-event-store.ts';
import { appendWithRetry, type Deadline, retryUntil, writeDeadline } from './retry.ts';
import { SharedEventIds } from './shared-event-ids.ts';
import type { Caller, Outcome, Submission } from './submission.ts';

/** Maximum number of submissions in progress. */
const MAX_IN_PROGRESS = 20_000;

export interface LedgerOptions {
  /** The wall clock, in milliseconds since the epoch. The time of a fact is checked with it. */
  readonly now: () => number;
  /** Returns the time that events are stamped with (see `RecordingClock`). */
  readonly recordingTime: () => number;
  /** Maximum age of a fact whose caller may not backdate, in milliseconds. */
  readonly backdatingMs: number;
  /** Returns whether a cluster probably has no facts yet (see `ClusterHistoryCache`). */
  readonly isNew?: (clusterId: string) => boolean;
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
    this.#histories = new ClusterHistoryCache(
      store,
      options.isNew === undefined ? {} : { isNew: options.isNew },
    );
    this.#rejected = new RejectedEventStore(store, options.recordingTime);
    this.#sharedIds = new SharedEventIds(store, options.recordingTime);
  }

  /**
   * Records each fact independently; a rejected fact does not affect the others. Facts of one cluster are appended together and
   * in order. Clusters are appended in the order of their first fact, so equal input always gets equal positions.
   * @returns the outcomes in the order of the submissions, once all accepted facts are durable and all rejected events are kept.
   * @throws OutcomeUnknown, StoreFailed if some facts may have been recorded: submit all again.
   * @throws StoreUnavailable, StoreFull, Overloaded if the facts that failed were not recorded.
   */
  async record(submissions: readonly Submission[], caller: Caller): Promise<Outcome[]> {
    if (this.#inProgress + submissions.length > MAX_IN_PROGRESS) {
      throw new Overloaded('too many facts are waiting to be written');
    }
    this.#inProgress += submissions.length;
    const deadline = writeDeadline();
    const clusters = Map.groupBy(submissions, ({ fact }) => fact.clusterId);
    const recorded = this.#mutex
      .runExclusive([...clusters.keys()], () => this.#recordLocked(submissions, clusters, caller, deadline))
      .finally(() => {
        this.#inProgress -= submissions.length;
      });
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
    clusters: ReadonlyMap<string, readonly Submission[]>,
    caller: Caller,
    deadline: Deadline,
  ): Promise<Outcome[]> {
    const load = ([clusterId, own]: [string, readonly Submission[]]) =>
      this.#loadFor(clusterId, own, caller, deadline);
    const histories = await Promise.all(Array.from(clusters, load));
    if (performance.now() > deadline)
      throw new StoreUnavailable('an earlier write to the same cluster took too long');
    const outcomes = new Map<Submission, Outcome>();
    const recorded = Array.from(clusters, ([clusterId, own], i) =>
      this.#recordCluster(clusterId, own, histories[i] as LoadedHistory | Halted, caller, deadline, outcomes),
    );
    // All appends must have ended before the lock is released: an append in progress would conflict with the next call.
    const reasons = (await Promise.allSettled(recorded)).flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    // If the outcome of one append is unknown, so is that of the whole call.
    if (reasons.length > 0) throw reasons.find((reason) => reason instanceof OutcomeUnknown) ?? reasons[0];
    const rejected = submissions.flatMap((submission) => {
      const outcome = outcomes.get(submission);
      if (outcome?.outcome !== 'rejected') return [];
      const { source, id, actor } = submission.origin;
      const { event, fact } = submission;
      return [{ source, id, actor, clusterId: fact.clusterId, event, rejection: outcome.rejection }];
    });
    if (rejected.length > 0) await this.#rejected.keep(rejected, deadline);
    const appended = submissions.filter((submission) => outcomes.get(submission)?.outcome === 'appended');
    await this.#sharedIds.note(appended, deadline);
    return submissions.map((submission) => outcomes.get(submission) as Outcome);
  }

  /**
   * Loads the facts that the submissions of one cluster are decided on. A cached history that may be stale must not reject a
   * fact: if it would, it is read again. All histories are read before the first append, so that reading does not change the
   * order of the appends.
   */
  async #loadFor(
    clusterId: string,
    submissions: readonly Submission[],
    caller: Caller,
    deadline: Deadline,
  ): Promise<LoadedHistory | Halted> {
    const loaded = await this.#read(clusterId, () => this.#histories.load(clusterId), deadline);
    if ('outcome' in loaded || loaded.isFresh) return loaded;
    const { outcomes } = planFor(loaded.history, submissions, this.#posting(caller));
    if (!outcomes.some(({ outcome }) => outcome === 'rejected')) return loaded;
    return this.#read(clusterId, () => this.#histories.reload(clusterId), deadline);
  }

  async #read(
    clusterId: string,
    read: () => Promise<LoadedHistory>,
    deadline: Deadline,
  ): Promise<LoadedHistory | Halted> {
    return retryUntil(read, deadline).catch(haltedOr(clusterId));
  }

  async #recordCluster(
    clusterId: string,
    submissions: readonly Submission[],
    initial: LoadedHistory | Halted,
    caller: Caller,
    deadline: Deadline,
    outcomes: Map<Submission, Outcome>,
  ): Promise<void> {
    let loaded = initial;
    for (let done = 0; done < submissions.length; ) {
      if ('outcome' in loaded) {
        for (const submission of submissions.slice(done)) outcomes.set(submission, loaded);
        return;
      }
      const { history, isFresh } = loaded;
      const plan = planFor(history, submissions.slice(done), this.#posting(caller));
      const mayBeStale = !isFresh && plan.outcomes.some(({ outcome }) => outcome === 'rejected');
      if (!mayBeStale && (await this.#append(clusterId, history, plan.added, deadline)))
        for (const outcome of plan.outcomes) outcomes.set(submissions[done++] as Submission, outcome);
      else loaded = await this.#read(clusterId, () => this.#histories.reload(clusterId), deadline);
      if (performance.now() > deadline) throw new OutcomeUnknown('the facts of the cluster kept changing');
    }
  }

  /**
   * Appends facts, and adds them to the history once they are recorded.
   * @returns false if another process has appended to the stream in the meantime; nothing was written then.
   */
  async #append(
    clusterId: string,
    history: ClusterHistory,
    added: readonly RecordedFact[],
    deadline: Deadline,
  ): Promise<boolean> {
    if (added.length === 0) return true;
    const expected = history.facts.at(-1)?.revision ?? 'absent';
    try {
      await appendWithRetry(this.#store, clusterStream(clusterId), added.map(toEvent), expected, deadline);
      for (const fact of added) history.add(fact);
      this.#histories.keep(clusterId, history);
      return true;
    } catch (error) {
      this.#histories.forget(clusterId);
      if (error instanceof VersionConflict) return false;
      throw error;
    }
  }
}

type Halted = Extract<Outcome, { outcome: 'halted' }>;

function haltedOr(clusterId: string): (error: unknown) => Halted {
  return (error) => {
    if (error instanceof UnreadableFact) return { outcome: 'halted', clusterId, why: error.message };
    throw error;
  };
}

function toEvent({ eventId: id, fact, origin, recordedAt }: RecordedFact): NewEvent {
  return { id, ...serializeFact(fact, origin), recordedAt } as NewEvent;
}
