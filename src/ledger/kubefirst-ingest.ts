import type { Fact } from '../domain/facts/fact.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import type { KnownCluster } from '../domain/kubefirst/identity.ts';
import type { KubefirstPolicy } from '../domain/kubefirst/registration.ts';
import { judgeTelemetry, type TelemetryVerdict, type TrackEvent } from '../domain/kubefirst/telemetry.ts';
import type { Instant } from '../domain/time.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { eventId } from './event-id.ts';
import type { Ledger, Outcome, Submission } from './ledger.ts';

/** Source of the facts that telemetry gives rise to. */
export const TELEMETRY_SOURCE = 'urn:kubefirst:telemetry';

/** What the intake needs to know, of the answers of the ledger. */
export interface KubefirstView {
  /** The registered clusters with a `cluster_id`, by all that was recorded so far. */
  clustersWithId(kubefirstId: string): readonly KnownCluster[];
  /** Resolves once a fact that was recorded is among what is known, or that took too long. */
  waitForEvent(eventId: string): Promise<unknown>;
}

interface Dependencies {
  readonly ledger: Ledger;
  readonly view: KubefirstView;
  readonly policy: KubefirstPolicy;
  /** A fact as the event that a producer would have posted: kept where the fact is refused. */
  readonly asEvent: (fact: Fact, source: string, id: string) => JsonObject;
  readonly now: () => Instant;
}

/** A fact that somebody derived from what Kubefirst says. */
export interface DerivedFact {
  readonly fact: Fact;
  readonly source: string;
  readonly id: string;
  readonly actor: string;
  readonly isTimedByLedger: boolean;
  readonly mayBackdate: boolean;
}

/** What became of a telemetry event. */
export type TelemetryOutcome = 'recorded' | 'duplicate' | 'rejected' | 'heartbeat' | 'ignored';

/** How many clusters the time of the last heartbeat is kept of. */
const MAX_HEARTBEATS = 100_000;

/**
 * The way of what Kubefirst says into the ledger. Who a cluster is depends on what is known, so one thing at a time is
 * judged, recorded, and waited for until it is known, whichever door it came through.
 */
export class KubefirstIngest {
  readonly #dependencies: Dependencies;
  readonly #lastSeen = new Map<string, Instant>();
  readonly #counts = new Map<TelemetryOutcome, number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(rooms: Dependencies) {
    this.#dependencies = rooms;
  }

  get policy(): KubefirstPolicy {
    return this.#dependencies.policy;
  }

  /** When the last heartbeat of each cluster came, since this process began; the longest silent first. */
  get lastSeen(): ReadonlyMap<string, Instant> {
    return this.#lastSeen;
  }

  /** Telemetry events since this process began, by what became of them. */
  get counts(): ReadonlyMap<TelemetryOutcome, number> {
    return this.#counts;
  }

  /**
   * Takes telemetry events in, in the order of their times, so that a batch may hold them in any.
   * @throws what `Ledger.record` throws: some may be recorded; all may be posted again.
   */
  async track(events: readonly TrackEvent[], actor: string): Promise<void> {
    const now = this.#dependencies.now();
    const timed = events.map((event) => ({ event, at: event.timestamp ?? now }));
    for (const { event, at } of timed.sort((a, b) => a.at - b.at)) await this.#track(event, at, actor);
  }

  async #track(event: TrackEvent, at: Instant, actor: string): Promise<void> {
    const judge = () =>
      judgeTelemetry(
        event,
        at,
        this.#dependencies.view.clustersWithId(event.properties.cluster_id),
        this.#dependencies.policy,
      );
    const first = judge();
    // What changes nothing need not wait for what does.
    const tracked =
      first.kind === 'heartbeat' || first.kind === 'ignored'
        ? this.#noteUnrecorded(first)
        : await this.#inTurn(() => this.#act(judge(), event, actor));
    this.#counts.set(tracked, (this.#counts.get(tracked) ?? 0) + 1);
  }

  #noteUnrecorded(verdict: Extract<TelemetryVerdict, { kind: 'heartbeat' | 'ignored' }>): TelemetryOutcome {
    if (verdict.kind === 'heartbeat') this.#recordHeartbeat(verdict.clusterId);
    return verdict.kind;
  }

  #recordHeartbeat(clusterId: string): void {
    this.#lastSeen.delete(clusterId);
    this.#lastSeen.set(clusterId, this.#dependencies.now());
    if (this.#lastSeen.size <= MAX_HEARTBEATS) return;
    for (const oldest of this.#lastSeen.keys()) {
      this.#lastSeen.delete(oldest);
      return;
    }
  }

  async #act(verdict: TelemetryVerdict, event: TrackEvent, actor: string): Promise<TelemetryOutcome> {
    if (verdict.kind === 'heartbeat' || verdict.kind === 'ignored') return this.#noteUnrecorded(verdict);
    const id = event.messageId ?? contentId(event);
    const { fact } = verdict;
    if (verdict.kind === 'record') {
      const isTimedByLedger = event.timestamp === undefined || event.timestamp === null;
      const derived = { fact, source: TELEMETRY_SOURCE, id, actor, isTimedByLedger, mayBackdate: false };
      const { outcome } = await this.#record(derived);
      return outcome === 'appended' ? 'recorded' : outcome === 'duplicate' ? 'duplicate' : 'rejected';
    }
    const rejection: Rejection =
      verdict.kind === 'unknown'
        ? { code: 'cluster-unknown', named: event.properties.cluster_id }
        : { code: 'cluster-ambiguous', named: event.properties.cluster_id, candidates: verdict.candidates };
    const kept = this.#dependencies.asEvent(fact, TELEMETRY_SOURCE, id);
    await this.#dependencies.ledger.keepRejected([
      { source: TELEMETRY_SOURCE, id, clusterId: fact.clusterId, event: kept, rejection },
    ]);
    return 'rejected';
  }

  /**
   * Has derived facts recorded, once what came before is known.
   * @param derive called then: what it gives may depend on what is known.
   * @throws what `Ledger.record` throws.
   */
  async record(derive: () => readonly DerivedFact[]): Promise<readonly Outcome[]> {
    return this.#inTurn(async () => {
      const outcomes: Outcome[] = [];
      for (const derived of derive()) outcomes.push(await this.#record(derived));
      return outcomes;
    });
  }

  async #record({ fact, source, id, actor, isTimedByLedger, mayBackdate }: DerivedFact): Promise<Outcome> {
    const event = this.#dependencies.asEvent(fact, source, id);
    const submission: Submission = { fact, origin: { source, id, actor }, event, isTimedByLedger };
    const [outcome] = await this.#dependencies.ledger.record([submission], { mayBackdate });
    if (outcome === undefined) throw new Error('a fact was submitted and nothing became of it');
    if ('eventId' in outcome) await this.#dependencies.view.waitForEvent(outcome.eventId);
    return outcome;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** The id of an event that came without one: of what it says, so that the same again is the same event. */
function contentId({ event, timestamp, properties }: TrackEvent): string {
  return `content-${eventId(event, timestamp ?? '', JSON.stringify(properties))}`;
}
