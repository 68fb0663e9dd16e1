import { type PeriodClosing, parseClosing, serializeClosing } from '../domain/billing/period.ts';
import type { Statement } from '../domain/billing/statement.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { periodStream } from '../domain/streams.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore, RecordedEvent } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { eventId } from './event-id.ts';
import { LEDGER_SOURCE } from './ledger.ts';
import { appendWithRetry, retryUntil, writeDeadline } from './retry.ts';

/** Somebody wants a period closed. */
export interface ClosePeriodCommand {
  readonly period: Period;
  /** Also while it still waits for late facts. */
  readonly early: boolean;
  /** Only say what would be; nothing is written. During the grace too. */
  readonly dryRun: boolean;
  readonly actor: string;
}

/** A closing that is durable. */
export interface RecordedClosing extends PeriodClosing {
  readonly eventId: string;
  readonly closedAt: Instant;
}

export type ClosePeriodResult =
  /** Closed now, or before: the same for whoever asks. `position` is unknown for as long as nobody has seen it in the log. */
  | {
      readonly outcome: 'closed';
      readonly close: PeriodClosing & { readonly closedAt: Instant; readonly position: number | undefined };
    }
  | {
      readonly outcome: 'would-close';
      readonly close: PeriodClosing;
      readonly statements: readonly Statement[];
    }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  /** The facts of a cluster cannot be read by this release: a statement without them would be wrong for ever. */
  | { readonly outcome: 'halted'; readonly clusterId: string; readonly why: string };

/** Writes and reads closings: one per period, for ever. */
export class PeriodClosingStore {
  readonly #store: EventStore;
  readonly #now: () => Instant;

  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Records a closing, unless the period was closed before.
   * @returns the closing that stands, which is the first one, whoever's it was.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFailed it may be recorded or not: close again. @throws StoreFull
   */
  async record(close: PeriodClosing, actor: string): Promise<RecordedClosing> {
    const deadline = writeDeadline();
    const stream = periodStream(close.period);
    const { type, data } = serializeClosing(close);
    // The id covers what the closing says: one at another watermark is another, and never taken for a repeat of the first.
    const id = eventId(stream, JSON.stringify(data));
    const event = { id, type, data, metadata: { source: LEDGER_SOURCE, actor }, recordedAt: this.#now() };
    try {
      await appendWithRetry(this.#store, stream, [event], 'absent', deadline);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
    // Also after an append of our own: a store may have known it as a repeat of one that was recorded at another time.
    return retryUntil(() => this.#read(close.period), deadline);
  }

  async #read(period: Period): Promise<RecordedClosing> {
    const stream = periodStream(period);
    let first: RecordedEvent | undefined;
    for await (const event of this.#store.readStream(stream, { limit: 1 })) first = event;
    if (first === undefined) throw new Error(`${stream} is empty after it was written`);
    return { ...parseClosing(period, first.type, first.data), eventId: first.id, closedAt: first.recordedAt };
  }
}
