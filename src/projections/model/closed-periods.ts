import { type PeriodClosing, parseClosing, periodAfter } from '../../domain/billing/period.ts';
import type { Instant, Period } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import type { Position } from '../../util/log-numbers.ts';
import { messageOf } from '../../util/message-of.ts';

/** A closing with its place in the log. */
export interface ClosedPeriod extends PeriodClosing {
  readonly position: Position;
  readonly closedAt: Instant;
}

/** An event that this release cannot read, or that cannot be true. */
export interface UnreadableEvent {
  readonly position: Position;
  readonly why: string;
}

/** The periods that were closed: one after the other, without gaps. */
export class ClosedPeriods {
  readonly #closed: ClosedPeriod[];
  readonly #unreadable: UnreadableEvent[];

  constructor(closed: readonly ClosedPeriod[] = [], unreadable: readonly UnreadableEvent[] = []) {
    this.#closed = [...closed];
    this.#unreadable = [...unreadable];
  }

  /** Applies an event of the stream of a period. @returns the closing; `undefined` if the event closes nothing. */
  apply(period: Period, event: LogEvent): ClosedPeriod | undefined {
    const { position, recordedAt: closedAt } = event;
    try {
      const closing = parseClosing(period, event.type, event.data);
      const last = this.#closed.at(-1);
      if (last !== undefined && period !== periodAfter(last.period))
        throw new RangeError(`${period} does not follow ${last.period}`);
      if (closing.watermark >= position || closing.watermark < (last?.watermark ?? 0))
        throw new RangeError(`${period} cannot have been closed at watermark ${closing.watermark}`);
      const closed = { ...closing, position, closedAt };
      this.#closed.push(closed);
      return closed;
    } catch (error) {
      this.reportUnreadable(position, error);
      return undefined;
    }
  }

  /** Keeps an event that decides about statements and cannot be read. */
  reportUnreadable(position: number, error: unknown): void {
    this.#unreadable.push({ position, why: messageOf(error) });
  }

  /** All closed periods, in order. */
  get all(): readonly ClosedPeriod[] {
    return this.#closed;
  }

  get last(): ClosedPeriod | undefined {
    return this.#closed.at(-1);
  }

  of(period: Period): ClosedPeriod | undefined {
    return this.#closed.find((closed) => closed.period === period);
  }

  /** Returns the periods that were closed as known at a position, in order. */
  knownAt(asOf: Position): readonly ClosedPeriod[] {
    return this.#closed.filter(({ position }) => position <= asOf);
  }

  /** Events that decide about statements and cannot be read, or that close nothing. */
  get unreadable(): readonly UnreadableEvent[] {
    return this.#unreadable;
  }
}
