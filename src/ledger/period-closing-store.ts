import { type PeriodClosing, parseClosing, serializeClosing } from '../domain/billing/period.ts';
import type { Statement } from '../domain/billing/statement.ts';
import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { periodStream } from '../domain/stream-table.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore, RecordedEvent } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import type { Position } from '../util/log-numbers.ts';
import { appendWithRetry, retryUntil, writeDeadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';

/** A request to close a period. */
export interface ClosePeriodCommand {
  readonly period: Period;
  /** Whether to close the period although it still waits for late facts. */
  readonly early: boolean;
  /** Whether to compute the closing without writing it. Allowed while the period waits for late facts. */
  readonly dryRun: boolean;
  readonly actor: string;
}

/** A durable closing. */
export interface RecordedClosing extends PeriodClosing {
  readonly eventId: string;
  readonly closedAt: Instant;
}

export type ClosePeriodResult =
  /** The period is closed, now or since an earlier request. `position` is unknown until the projections have read the event. */
  | {
      readonly outcome: 'closed';
      readonly close: PeriodClosing & { readonly closedAt: Instant; readonly position: Position | undefined };
    }
  | {
      readonly outcome: 'would-close';
      readonly close: PeriodClosing;
      readonly statements: readonly Statement[];
    }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  | { readonly outcome: 'clock-untrusted'; readonly why: string }
  /** This release cannot read the facts of a cluster: a statement without them would be wrong, and a statement never changes. */
  | { readonly outcome: 'halted'; readonly clusterId: string; readonly why: string };

/** Records period closings. A period has one closing, which never changes. */
export class PeriodClosingStore {
  readonly #store: EventStore;
  readonly #now: () => Instant;

  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Records a closing, unless the period was closed before.
   * @returns the first closing of the period.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFailed if it may or may not be recorded: close the period again.
   * @throws StoreFull if nothing was recorded.
   */
  async record(close: PeriodClosing, actor: string): Promise<RecordedClosing> {
    const deadline = writeDeadline();
    const stream = periodStream(close.period);
    const { type, data } = serializeClosing(close);
    // The content is a part of the id, so that a store never takes a closing at another watermark for a repeat.
    const id = eventId(stream, JSON.stringify(data));
    const event = { id, type, data, metadata: { source: LEDGER_SOURCE, actor }, recordedAt: this.#now() };
    try {
      await appendWithRetry(this.#store, { stream, events: [event], expected: 'absent' }, deadline);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
    // Read even after a successful append: it may have been a repeat of a closing that was recorded at another time.
    return retryUntil(() => this.#read(close.period), deadline);
  }

  async #read(period: Period): Promise<RecordedClosing> {
    const stream = periodStream(period);
    let first: RecordedEvent | undefined;
    for await (const event of this.#store.readStream(stream, { limit: 1 })) first = event;
    if (first === undefined) throw new Error(`${stream} is empty after an append`);
    return { ...parseClosing(period, first.type, first.data), eventId: first.id, closedAt: first.recordedAt };
  }
}
