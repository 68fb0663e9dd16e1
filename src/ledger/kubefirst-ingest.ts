import { factToCloudEvent } from '../domain/facts/cloud-event.ts';
import type { Fact } from '../domain/facts/fact.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import type { KnownCluster } from '../domain/kubefirst/identity.ts';
import type { KubefirstPolicy } from '../domain/kubefirst/registration.ts';
import { judgeTelemetry, type TelemetryVerdict, type TrackEvent } from '../domain/kubefirst/telemetry.ts';
import { HOUR_MS, type Instant } from '../domain/time.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { eventId } from './event-id.ts';
import type { Ledger } from './ledger.ts';
import type { Outcome, Submission } from './submission.ts';

/** Source of the facts that follow from telemetry. */
export const TELEMETRY_SOURCE = 'urn:kubefirst:telemetry';

/** The queries of the ledger that the ingest needs. */
export interface KubefirstView {
  /** Returns the registered clusters with a `cluster_id`. */
  clustersWithId(kubefirstId: string): readonly KnownCluster[];
  /** Resolves once the projection has a recorded event, or after a timeout. */
  waitForEvent(eventId: string): Promise<unknown>;
}

interface Dependencies {
  readonly ledger: Ledger;
  readonly view: KubefirstView;
  readonly policy: KubefirstPolicy;
  readonly now: () => Instant;
}

/** A fact derived from telemetry or records of Kubefirst. */
export interface DerivedFact {
  readonly fact: Fact;
  readonly source: string;
  readonly id: string;
  readonly actor: string;
  readonly isTimedByLedger: boolean;
  readonly mayBackdate: boolean;
}

/** Outcome of a telemetry event. */
export type TelemetryOutcome =
  | 'recorded'
  | 'duplicate'
  | 'rejected'
  | 'heartbeat'
  | 'unregistered'
  | 'ignored';

/** A cluster that sends heartbeats and was never registered. */
export interface Stranger {
  readonly kubefirstId: string;
  readonly since: Instant;
  readonly lastSeenAt: Instant;
  readonly clusterType: string | undefined;
  readonly domain: string | undefined;
}

/** Time after the last heartbeat of an unregistered cluster after which it is forgotten. */
const FORGOTTEN_AFTER_MS = HOUR_MS;

/** Maximum number of clusters for which the last heartbeat is kept. */
const MAX_HEARTBEATS = 100_000;

/**
 * Turns Kubefirst events into facts. Matching an event to a cluster depends on earlier facts, so events are
 * processed one at a time: match, record, wait until the projection has the fact.
 */
export class KubefirstIngest {
  readonly #dependencies: Dependencies;
  readonly #lastSeen = new BoundedMap<string, Instant>(MAX_HEARTBEATS);
  readonly #strangers = new BoundedMap<string, Stranger>(MAX_HEARTBEATS);
  readonly #counts = new Map<TelemetryOutcome, number>();
  readonly #queue = new SerialQueue();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  get policy(): KubefirstPolicy {
    return this.#dependencies.policy;
  }

  /** Time of the last heartbeat of each cluster since the process started, oldest first. */
  get lastSeen(): ReadonlyMap<string, Instant> {
    return this.#lastSeen;
  }

  /** The clusters that have sent a heartbeat within the last hour and are not registered, by their id. */
  strangers(now: Instant): readonly Stranger[] {
    const { view } = this.#dependencies;
    return [...this.#strangers.values()].filter(
      ({ kubefirstId, lastSeenAt }) =>
        now - lastSeenAt < FORGOTTEN_AFTER_MS && view.clustersWithId(kubefirstId).length === 0,
    );
  }

  #noteStranger({ properties }: TrackEvent): TelemetryOutcome {
    const { cluster_id: kubefirstId, cluster_type: clusterType, domain } = properties;
    const now = this.#dependencies.now();
    const since = this.#strangers.get(kubefirstId)?.since ?? now;
    this.#strangers.setNewest(kubefirstId, { kubefirstId, since, lastSeenAt: now, clusterType, domain });
    return 'unregistered';
  }

  /** Number of telemetry events since the process started, by outcome. */
  get counts(): ReadonlyMap<TelemetryOutcome, number> {
    return this.#counts;
  }

  /**
   * Processes telemetry events in the order of their times, whatever their order in the batch.
   * @throws the errors of `Ledger.record`: some events may be recorded, and all may be posted again.
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
    // Events without a fact need not wait in the queue.
    const tracked =
      first.kind === 'stranger'
        ? this.#noteStranger(event)
        : first.kind === 'heartbeat' || first.kind === 'ignored'
          ? this.#noteUnrecorded(first)
          : await this.#queue.run(() => this.#act(judge(), event, actor));
    this.#counts.set(tracked, (this.#counts.get(tracked) ?? 0) + 1);
  }

  #noteUnrecorded(verdict: Extract<TelemetryVerdict, { kind: 'heartbeat' | 'ignored' }>): TelemetryOutcome {
    if (verdict.kind === 'heartbeat') this.#recordHeartbeat(verdict.clusterId);
    return verdict.kind;
  }

  #recordHeartbeat(clusterId: string): void {
    this.#lastSeen.setNewest(clusterId, this.#dependencies.now());
  }

  async #act(verdict: TelemetryVerdict, event: TrackEvent, actor: string): Promise<TelemetryOutcome> {
    if (verdict.kind === 'stranger') return this.#noteStranger(event);
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
    const kept = factToCloudEvent(fact, { source: TELEMETRY_SOURCE, id });
    await this.#dependencies.ledger.keepRejected([
      { source: TELEMETRY_SOURCE, id, actor, clusterId: fact.clusterId, event: kept, rejection },
    ]);
    return 'rejected';
  }

  /**
   * Records derived facts after all earlier ones are in the projection.
   * @param derive called at that time, since its result may depend on earlier facts.
   * @throws the errors of `Ledger.record`.
   */
  async record(derive: () => readonly DerivedFact[]): Promise<readonly Outcome[]> {
    return this.#queue.run(async () => {
      const outcomes: Outcome[] = [];
      for (const derived of derive()) outcomes.push(await this.#record(derived));
      return outcomes;
    });
  }

  async #record({ fact, source, id, actor, isTimedByLedger, mayBackdate }: DerivedFact): Promise<Outcome> {
    const event = factToCloudEvent(fact, { source, id });
    const submission: Submission = { fact, origin: { source, id, actor }, event, isTimedByLedger };
    const [outcome] = await this.#dependencies.ledger.record([submission], { mayBackdate });
    if (outcome === undefined) throw new Error('the ledger returned no outcome for a submitted fact');
    if ('eventId' in outcome) await this.#dependencies.view.waitForEvent(outcome.eventId);
    return outcome;
  }
}

/** Returns the id of an event that has none: a hash of its content, so that the same content is the same event. */
function contentId({ event, timestamp, properties }: TrackEvent): string {
  return `content-${eventId(event, timestamp ?? '', JSON.stringify(properties))}`;
}
