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

  /** Notes the facts that were appended. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed */
  async note(appended: readonly Submission[], deadline: Deadline): Promise<void> {
    for (const { fact, origin } of appended) {
      const { source, id } = origin;
      if (source === LEDGER_SOURCE) continue;
      const key = `${source}\n${id}`;
      const otherClusterId = this.#clusters.get(key);
      this.#clusters.set(key, fact.clusterId);
      if (otherClusterId === undefined || otherClusterId === fact.clusterId) continue;
      await this.#warn({ source, id, clusterId: fact.clusterId, otherClusterId }, deadline);
    }
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
