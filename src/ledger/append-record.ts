import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import type { Instant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import type { Revision } from '../util/log-numbers.ts';
import { appendAtEnd } from './append-at-end.ts';
import { writeDeadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';

/** Something that the ledger records about itself: a decision of an operator, a doubt, a setting that is kept in the log. */
export interface LedgerRecord {
  readonly type: string;
  readonly data: JsonObject;
  /** Who decided, or the ledger. */
  readonly actor: string;
}

/**
 * Appends a record at the end of a stream.
 * @param recordingTime returns the time that events are stamped with (see `RecordingClock`).
 * @returns the id of the event once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
 */
export function appendRecord(
  store: EventStore,
  stream: string,
  { type, data, actor }: LedgerRecord,
  recordingTime: () => Instant,
): Promise<string> {
  const eventAt = (revision: Revision) => {
    const recordedAt = recordingTime();
    const id = eventId(stream, revision, recordedAt, JSON.stringify(data));
    return { id, type, data, metadata: { source: LEDGER_SOURCE, actor }, recordedAt };
  };
  return appendAtEnd(store, stream, eventAt, writeDeadline());
}
