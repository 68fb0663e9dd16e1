import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { EVENT_ID_SHARED, WARNINGS_STREAM } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import { appendAtEnd } from './append-at-end.ts';
import type { Deadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';
import type { Submission } from './submission.ts';

/** Number of recent event ids that are compared. */
const REMEMBERED = 20_000;

/** An event id that a producer has posted for two clusters. */
export interface SharedEventId {
  readonly source: string;
  readonly id: string;
  readonly clusterId: string;
  readonly otherClusterId: string;
}

/**
 * Notices if a producer posts one event id for two clusters, and records a warning. Both facts count, since an event is a
 * repeat only within its cluster; usually the second post corrects a wrong subject. The recent ids of this process are
 * compared, so an id that comes back after a restart or through another process is not noticed.
 */
export class SharedEventIds {
  readonly #store: EventStore;
  readonly #now: () => number;
  /** Cluster of the last fact with an id, by source and id. */
  readonly #clusters = new BoundedMap<string, string>(REMEMBERED);

  constructor(store: EventStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Notes the facts that were appended. @returns the ids that another cluster has too; almost always none. */
  note(appended: readonly Submission[]): SharedEventId[] {
    const shared: SharedEventId[] = [];
    for (const { fact, origin } of appended) {
      const { source, id } = origin;
      if (source === LEDGER_SOURCE) continue;
      const key = `${source}\n${id}`;
      const otherClusterId = this.#clusters.get(key);
      this.#clusters.set(key, fact.clusterId);
      if (otherClusterId === undefined || otherClusterId === fact.clusterId) continue;
      shared.push({ source, id, clusterId: fact.clusterId, otherClusterId });
    }
    return shared;
  }

  /** Records a warning for each id. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed */
  async warn(shared: readonly SharedEventId[], deadline: Deadline): Promise<void> {
    for (const each of shared) await this.#warn({ ...each }, deadline);
  }

  async #warn(data: Readonly<Record<string, string>>, deadline: Deadline): Promise<void> {
    const eventAt = (revision: number) => ({
      id: eventId(WARNINGS_STREAM, revision, JSON.stringify(data)),
      type: EVENT_ID_SHARED,
      data,
      metadata: { source: LEDGER_SOURCE },
      recordedAt: this.#now(),
    });
    await appendAtEnd(this.#store, WARNINGS_STREAM, eventAt, deadline);
  }
}
