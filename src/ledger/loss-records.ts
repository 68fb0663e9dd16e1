import { LOSS_ACCEPTED, LOSSES_STREAM } from '../domain/stream-table.ts';
import type { Instant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Position } from '../util/log-numbers.ts';
import { appendRecord } from './append-record.ts';

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
    return appendRecord(
      this.#store,
      LOSSES_STREAM,
      { type: LOSS_ACCEPTED, data, actor: by },
      this.#recordingTime,
    );
  }
}
