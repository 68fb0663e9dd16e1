import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { LOSS_ACCEPTED, LOSSES_STREAM } from '../domain/stream-table.ts';
import type { Instant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Position, Revision } from '../util/log-numbers.ts';
import { appendAtEnd } from './append-at-end.ts';
import { eventId } from './event-id.ts';
import { writeDeadline } from './retry.ts';

/** The decision of an operator to go on without events that were acknowledged. */
export interface LossAcceptance {
  readonly by: string;
  readonly reason: string;
  /** Description of the loss, as the alert `log-behind` has it. */
  readonly why: string;
  /** Last position up to which the log is as it was acknowledged, as far as is known. */
  readonly intactThrough: Position;
}

/** Records the losses that operators accept. The record is the first event after the gap, where auditors find it. */
export class LossRecords {
  readonly #store: EventStore;
  readonly #recordingTime: () => Instant;

  constructor(store: EventStore, recordingTime: () => Instant) {
    this.#store = store;
    this.#recordingTime = recordingTime;
  }

  /**
   * @param epoch the epoch of positions that begins with the acceptance.
   * @returns the id of the event once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  accepted({ by, reason, why, intactThrough }: LossAcceptance, epoch: number): Promise<string> {
    const data = { why, by, reason, epoch, epochFrom: intactThrough };
    const eventAt = (revision: Revision) => {
      const recordedAt = this.#recordingTime();
      const id = eventId(LOSSES_STREAM, revision, recordedAt, JSON.stringify(data));
      return { id, type: LOSS_ACCEPTED, data, metadata: { source: LEDGER_SOURCE, actor: by }, recordedAt };
    };
    return appendAtEnd(this.#store, LOSSES_STREAM, eventAt, writeDeadline());
  }
}
