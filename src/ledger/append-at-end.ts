import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import { lastRevision } from '../eventstore/last-revision.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import type { Revision } from '../util/log-numbers.ts';
import { appendWithRetry, type Deadline, retryUntil } from './append-with-retry.ts';

/**
 * Appends one event at the end of a stream. If another writer appends first, it starts again behind that event.
 * @param eventAt makes the event for a revision.
 * @returns the id of the event once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
 */
export async function appendAtEnd(
  store: EventStore,
  stream: string,
  eventAt: (revision: Revision) => NewEvent,
  deadline: Deadline,
): Promise<string> {
  for (;;) {
    const last = await retryUntil(() => lastRevision(store, stream), deadline);
    const event = eventAt(last + 1);
    if (await isAppended(store, stream, event, last, deadline)) return event.id;
    await wait(0);
  }
}

/**
 * Appends one event behind a revision, -1 for an empty stream.
 * @returns whether the stream still ended there. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
 */
export async function isAppended(
  store: EventStore,
  stream: string,
  event: NewEvent,
  last: Revision,
  deadline: Deadline,
): Promise<boolean> {
  try {
    const expected = last === -1 ? 'absent' : last;
    await appendWithRetry(store, { stream, events: [event], expected }, deadline);
    return true;
  } catch (error) {
    if (!(error instanceof VersionConflict)) throw error;
    return false;
  }
}
