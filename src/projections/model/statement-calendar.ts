import type { Calendar } from '../../domain/billing/period.ts';
import { type Beginning, parseBeginning } from '../../domain/billing/statement-beginning.ts';
import { type Instant, type Period, periodWindow } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import type { Position } from '../../util/log-numbers.ts';
import { type ClosedPeriod, ClosedPeriods } from './closed-periods.ts';

/** The beginning of statements, with its place in the log. */
export interface RecordedBeginning extends Beginning {
  readonly position: Position;
  readonly at: Instant;
}

/** The closings and the beginning, which decide which periods have statements. */
export class StatementCalendar {
  readonly closedPeriods: ClosedPeriods;
  #beginning: RecordedBeginning | undefined;

  constructor(closedPeriods = new ClosedPeriods(), beginning?: RecordedBeginning) {
    this.closedPeriods = closedPeriods;
    this.#beginning = beginning;
  }

  /** The decision with which period statements begin, if there is one. */
  get beginning(): RecordedBeginning | undefined {
    return this.#beginning;
  }

  /** The start of the first period with statements; `undefined` if no beginning is recorded. */
  get begins(): Instant | undefined {
    return this.#beginning === undefined ? undefined : periodWindow(this.#beginning.period).from;
  }

  /** Applies an event of the stream of a period. @returns the closing; `undefined` if the event closes nothing. */
  applyClosing(period: Period, event: LogEvent): ClosedPeriod | undefined {
    const closed = this.closedPeriods.apply(period, event);
    // The first closing did not know a beginning that was recorded after its watermark. It stands, so the beginning has no effect.
    if (closed !== undefined && closed.watermark < (this.#beginning?.position ?? 0))
      this.#beginning = undefined;
    return closed;
  }

  /** Applies an event of the stream `billing`. The first beginning decides; an operator cannot record a second one. */
  applyBeginning({ type, data, position, recordedAt: at }: LogEvent): void {
    if (this.#beginning !== undefined || this.closedPeriods.last !== undefined) return;
    try {
      this.#beginning = { ...parseBeginning(type, data), position, at };
    } catch (error) {
      this.closedPeriods.reportUnreadable(position, error);
    }
  }

  /** Returns the calendar as known at a position. @param firstBilledAt the earliest billed instant, as known there. */
  knownAt(asOf: Position, firstBilledAt: Instant | undefined): Calendar {
    const closed = this.closedPeriods.knownAt(asOf);
    const begun = this.#beginning !== undefined && this.#beginning.position <= asOf;
    return {
      firstClosed: closed[0]?.period,
      lastClosed: closed.at(-1)?.period,
      begun: begun ? this.#beginning?.period : undefined,
      firstBilledAt,
    };
  }
}
