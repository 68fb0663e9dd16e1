import { isDeepStrictEqual } from 'node:util';
import { decide, type Posting } from '../domain/facts/decide.ts';
import { type Fact, UnreadableFact } from '../domain/facts/fact.ts';
import { type Origin, serializeFact } from '../domain/facts/recorded-fact.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { clusterStream } from '../domain/streams.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { StoreUnavailable, VersionConflict } from '../eventstore/store-errors.ts';
import { KeyedMutex } from '../util/keyed-mutex.ts';
import { withDeadline } from '../util/with-deadline.ts';
import { type ClusterHistory, ClusterHistoryCache, type RecordedFact } from './cluster-history-cache.ts';
import { eventId } from './event-id.ts';
import { OutcomeUnknown, Overloaded } from './ledger-errors.ts';
import { type RejectedEvent, RejectedEventStore } from './rejected-event-store.ts';
import { appendWithRetry, type Deadline, retryUntil, writeDeadline } from './retry.ts';

/** A fact that somebody wants recorded. */
export interface Submission {
  readonly fact: Fact;
  readonly origin: Origin;
  /** The event as it was posted, kept where it is refused. */
  readonly event: JsonObject;
  /** The poster left the time to the ledger: a repeat is then the same whatever the time. */
  readonly isTimedByLedger?: boolean;
}

/** What became of a submission. */
export type Outcome =
  | {
      /** Durable now; or durable since the first time that the same event was posted. */
      readonly outcome: 'appended' | 'duplicate';
      readonly eventId: string;
      readonly clusterId: string;
      readonly revision: number;
      /** In ms since the epoch, by the clock of whoever recorded it. */
      readonly recordedAt: number;
    }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  /** The facts of this cluster cannot be read by this release: nothing can be decided on them. */
  | { readonly outcome: 'halted'; readonly clusterId: string; readonly why: string };

/** The source of what the ledger itself appends. */
export const LEDGER_SOURCE = 'urn:cluster-ledger';

/** Submissions under way at which more are turned away. */
const MOST_UNDER_WAY = 20_000;

/** Facts of one cluster in one append stay well below what a store takes. */
const MOST_APPEND_BYTES = 500_000;

/**
 * The one way into the log: load, decide, append, and again where somebody else was first. Posting the same event again,
 * ever, is answered with the first one's place; posting another under its id is refused.
 */
export class Ledger {
  readonly #store: EventStore;
  readonly #now: () => number;
  readonly #histories: ClusterHistoryCache;
  readonly #rejected: RejectedEventStore;
  readonly #turns = new KeyedMutex();
  #underWay = 0;

  /** @param now milliseconds since the epoch. */
  constructor(store: EventStore, now: () => number) {
    this.#store = store;
    this.#now = now;
    this.#histories = new ClusterHistoryCache(store);
    this.#rejected = new RejectedEventStore(store, now);
  }

  /**
   * Records facts, each on its own merits: one refused does not spoil the others. Those of one cluster are recorded together
   * and in order, the clusters in the order of their first fact, so that the same submissions get the same places.
   * @returns what became of each, in order, once all that was accepted is durable and all that was refused is kept.
   * @throws OutcomeUnknown, StoreFailed some may be recorded: submit all again.
   * @throws StoreUnavailable, StoreFull, Overloaded nothing of what failed was recorded.
   */
  async record(submissions: readonly Submission[], caller: Pick<Posting, 'mayBackdate'>): Promise<Outcome[]> {
    if (this.#underWay + submissions.length > MOST_UNDER_WAY) {
      throw new Overloaded('too many facts are waiting to be written');
    }
    this.#underWay += submissions.length;
    const deadline = writeDeadline();
    const clusters = Map.groupBy(submissions, ({ fact }) => fact.clusterId);
    const recorded = this.#turns
      .runExclusive([...clusters.keys()], () => this.#recordInTurn(submissions, clusters, caller, deadline))
      .finally(() => {
        this.#underWay -= submissions.length;
      });
    return withDeadline(
      recorded,
      deadline - performance.now(),
      () => new OutcomeUnknown('the store did not acknowledge in time'),
    );
  }

  /**
   * Keeps events that no fact can be made of, as those are that are refused.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async keepRejected(refused: readonly RejectedEvent[]): Promise<void> {
    await this.#rejected.keep(refused, writeDeadline());
  }

  async #recordInTurn(
    submissions: readonly Submission[],
    clusters: ReadonlyMap<string, readonly Submission[]>,
    caller: Pick<Posting, 'mayBackdate'>,
    deadline: Deadline,
  ): Promise<Outcome[]> {
    const load = ([clusterId, own]: [string, readonly Submission[]]) =>
      this.#loadFor(clusterId, own, caller, deadline);
    const histories = await Promise.all(Array.from(clusters, load));
    if (performance.now() > deadline)
      throw new StoreUnavailable('an earlier write to the same cluster took too long');
    const outcomes = new Map<Submission, Outcome>();
    const recorded = Array.from(clusters, ([clusterId, own], i) =>
      this.#recordCluster(
        clusterId,
        own,
        histories[i] as ClusterHistory | Halted,
        caller,
        deadline,
        outcomes,
      ),
    );
    // All must have ended before the turn does: what is still under way would meet the next one.
    const failed = (await Promise.allSettled(recorded)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const refused = submissions.flatMap((submission) => {
      const outcome = outcomes.get(submission);
      if (outcome?.outcome !== 'rejected') return [];
      const { source, id } = submission.origin;
      const { event, fact } = submission;
      return [{ source, id, clusterId: fact.clusterId, event, rejection: outcome.rejection }];
    });
    if (refused.length > 0) await this.#rejected.keep(refused, deadline);
    return submissions.map((submission) => outcomes.get(submission) as Outcome);
  }

  /**
   * The history that the submissions of one cluster can be decided on: one that may be outdated will not do where it would
   * have one of them refused. It is read before anything is appended, so that the order of the appends does not hang on it.
   */
  async #loadFor(
    clusterId: string,
    submissions: readonly Submission[],
    caller: Pick<Posting, 'mayBackdate'>,
    deadline: Deadline,
  ): Promise<ClusterHistory | Halted> {
    const history = await this.#read(clusterId, () => this.#histories.load(clusterId), deadline);
    if ('outcome' in history || history.isFresh) return history;
    const { outcomes } = planFor(history.facts, submissions, { ...caller, now: this.#now() });
    if (!outcomes.some(({ outcome }) => outcome === 'rejected')) return history;
    return this.#read(clusterId, () => this.#histories.reload(clusterId), deadline);
  }

  async #read(
    clusterId: string,
    read: () => Promise<ClusterHistory>,
    deadline: Deadline,
  ): Promise<ClusterHistory | Halted> {
    return retryUntil(read, deadline).catch(haltedOr(clusterId));
  }

  async #recordCluster(
    clusterId: string,
    submissions: readonly Submission[],
    loaded: ClusterHistory | Halted,
    caller: Pick<Posting, 'mayBackdate'>,
    deadline: Deadline,
    outcomes: Map<Submission, Outcome>,
  ): Promise<void> {
    let history = loaded;
    for (let done = 0; done < submissions.length; ) {
      if ('outcome' in history) {
        for (const submission of submissions.slice(done)) outcomes.set(submission, history);
        return;
      }
      const plan = planFor(history.facts, submissions.slice(done), { ...caller, now: this.#now() });
      const mayBeOutdated = !history.isFresh && plan.outcomes.some(({ outcome }) => outcome === 'rejected');
      if (!mayBeOutdated && (await this.#append(clusterId, history.facts, plan.added, deadline))) {
        for (const outcome of plan.outcomes) outcomes.set(submissions[done++] as Submission, outcome);
        history = { facts: [...history.facts, ...plan.added], isFresh: history.isFresh };
      } else {
        history = await this.#read(clusterId, () => this.#histories.reload(clusterId), deadline);
      }
      if (performance.now() > deadline) throw new OutcomeUnknown('the facts of the cluster kept changing');
    }
  }

  /** @returns whether the facts now stand in the stream; if not, somebody else was first. */
  async #append(
    clusterId: string,
    known: readonly RecordedFact[],
    added: readonly RecordedFact[],
    deadline: Deadline,
  ): Promise<boolean> {
    if (added.length === 0) return true;
    const expected = known.at(-1)?.order ?? 'absent';
    try {
      await appendWithRetry(this.#store, clusterStream(clusterId), added.map(toEvent), expected, deadline);
      this.#histories.keep(clusterId, [...known, ...added]);
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

export interface Plan {
  /** One for each of the first submissions; those after them are left for the next append. */
  readonly outcomes: Outcome[];
  readonly added: RecordedFact[];
}

function idOf(fact: Fact, { source, id }: Origin): string {
  return eventId(clusterStream(fact.clusterId), source, id, JSON.stringify(fact));
}

/** Decides what to append for the submissions of one cluster, each in the light of those before it. */
export function planFor(
  known: readonly RecordedFact[],
  submissions: readonly Submission[],
  posting: Posting,
): Plan {
  const outcomes: Outcome[] = [];
  const added: RecordedFact[] = [];
  let bytes = 0;
  for (const submission of submissions) {
    const { fact, origin } = submission;
    const facts = added.length === 0 ? known : [...known, ...added];
    const earlier = facts.find(
      (other) => other.origin.id === origin.id && other.origin.source === origin.source,
    );
    if (earlier !== undefined) {
      outcomes.push(repeated(earlier, submission));
      continue;
    }
    const decision = decide(facts, fact, posting);
    if (!decision.ok) {
      outcomes.push({ outcome: 'rejected', rejection: decision.rejection });
      continue;
    }
    if (submissions.length > 1) bytes += JSON.stringify(submission.event).length * 2;
    if (bytes > MOST_APPEND_BYTES && added.length > 0) break;
    const id = idOf(fact, origin);
    const revision = facts.length;
    const recordedAt = posting.now;
    const [, notice] = decision.facts;
    added.push({ eventId: id, order: revision, fact, origin, recordedAt });
    if (notice !== undefined) added.push(noticeAfter(id, notice, origin, revision + 1, recordedAt));
    outcomes.push({ outcome: 'appended', eventId: id, clusterId: fact.clusterId, revision, recordedAt });
  }
  return { outcomes, added };
}

function repeated(earlier: RecordedFact, { fact, isTimedByLedger }: Submission): Outcome {
  const compared = isTimedByLedger === true ? { ...fact, effectiveAt: earlier.fact.effectiveAt } : fact;
  const { eventId: id, order: revision, recordedAt } = earlier;
  return isDeepStrictEqual(asStored(earlier.fact), asStored(compared))
    ? { outcome: 'duplicate', eventId: id, clusterId: fact.clusterId, revision, recordedAt }
    : { outcome: 'rejected', rejection: { code: 'event-id-reused', eventId: id } };
}

/** As it comes back from a store: JSON knows no minus zero. */
function asStored(fact: Fact): unknown {
  return JSON.parse(JSON.stringify(fact));
}

function noticeAfter(
  deciding: string,
  fact: Fact,
  { actor }: Origin,
  revision: number,
  recordedAt: number,
): RecordedFact {
  const origin = { source: LEDGER_SOURCE, id: `notice-of-${deciding}`, actor };
  return { eventId: idOf(fact, origin), order: revision, fact, origin, recordedAt };
}
