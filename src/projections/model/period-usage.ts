import { type GroupedMeasures, GroupedUsageMeter } from '../../domain/billing/usage-meter.ts';
import { type Instant, isPeriodWindow, type Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { IntervalMeter } from './billed-rows.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** Number of periods for which measures are kept; the one that was asked for first is dropped first. */
const MAX_PERIODS = 3;

/** Usage of an account in a window up to an instant, as known at a position. */
export interface CountedUsage {
  readonly account: AccountNumber;
  readonly window: Window;
  /** End of the part of the window that counts. It is within the window. */
  readonly through: Instant;
  readonly asOf: Position;
}

/** The measures of an account in a window. Until `through` is another one, no billed interval starts or ends. */
export interface Measured {
  /** The instant up to which they were measured. */
  readonly through: Instant;
  readonly measures: GroupedMeasures<number>;
}

/** The measures of an account in a period, up to an instant after which no billed interval starts or ends in the period. */
interface Kept extends Measured {
  /** Position of the last fact that they include. */
  readonly changedAt: Position;
  /** The last instant within the period at which a billed interval starts or ends; its start if none does. */
  readonly lastEdge: Instant;
}

/** The measures of one period, by number of the account. */
interface KeptPeriod {
  readonly to: Instant;
  readonly accounts: (Kept | undefined)[];
}

/**
 * The usage of accounts in whole periods. The measures of an account are kept until a fact may change its billing. After the last
 * start or end of an interval, the billed time grows with the number of billed clusters, and all other measures stay the same. So
 * usage until now is computed without looking at the intervals.
 */
export class PeriodUsage {
  /** Position of the last fact that may have changed an account; absent if that is not after `#since`. */
  readonly #changedAt: (Position | undefined)[] = [];
  #since: Position = 0;
  /** By the start of the period. */
  readonly #periods = new Map<Instant, KeptPeriod>();

  /** Begins behind a position: facts up to it may have changed any account. */
  beginBehind(position: Position): void {
    this.#since = position;
  }

  /** Notes that the fact at a position may change the billing of accounts. */
  note(accounts: readonly AccountNumber[], position: Position): void {
    for (const account of accounts) this.#changedAt[account] = position;
  }

  /** Returns the position of the last fact that may have changed the billing of an account. */
  changedAt(account: AccountNumber): Position {
    return this.#changedAt[account] ?? this.#since;
  }

  /** Returns the measures that are kept of an account; `undefined` if its intervals must be measured. */
  known({ account, window, through, asOf }: CountedUsage): Measured | undefined {
    const period = this.#periods.get(window.from);
    if (period?.to !== window.to) return undefined;
    const kept = period.accounts[account];
    if (kept === undefined || through <= kept.lastEdge) return undefined;
    const changedAt = this.changedAt(account);
    return kept.changedAt === changedAt && changedAt <= asOf ? kept : undefined;
  }

  /**
   * Measures an account, and keeps the measures of a whole period. The caller may pause where it yields.
   * @param measure adds the billed intervals of the account that overlap a window to a meter.
   */
  *measured(
    { account, window, through, asOf }: CountedUsage,
    measure: (meter: IntervalMeter, within: Window) => Generator<undefined, void>,
  ): Generator<undefined, Measured> {
    const changedAt = this.changedAt(account);
    const meter = new GroupedUsageMeter<number>({ from: window.from, to: through });
    const period = asOf < changedAt ? undefined : this.#periodOf(window);
    if (period === undefined) {
      yield* measure(meter, { from: window.from, to: through });
      return { through, measures: meter.measures };
    }
    const edges = new LastEdge(meter, window);
    yield* measure(edges, window);
    const { lastEdge } = edges;
    const kept = { changedAt, through, lastEdge, measures: meter.measures };
    if (through > lastEdge) period.accounts[account] = kept;
    return kept;
  }

  /** Returns what is kept for a period; `undefined` if the window is not a period. */
  #periodOf(window: Window): KeptPeriod | undefined {
    const known = this.#periods.get(window.from);
    if (known?.to === window.to) return known;
    if (!isPeriodWindow(window)) return undefined;
    const period: KeptPeriod = { to: window.to, accounts: [] };
    this.#periods.set(window.from, period);
    const [oldest] = this.#periods.keys();
    if (this.#periods.size > MAX_PERIODS) this.#periods.delete(oldest as Instant);
    return period;
  }
}

/** Passes intervals on to a meter, and notes the last instant within a window at which one starts or ends. */
class LastEdge implements IntervalMeter {
  readonly #meter: IntervalMeter;
  readonly #window: Window;
  lastEdge: Instant;

  constructor(meter: IntervalMeter, window: Window) {
    this.#meter = meter;
    this.#window = window;
    this.lastEdge = window.from;
  }

  add(since: Instant, until: Instant, type: number): void {
    if (since < this.#window.to && since > this.lastEdge) this.lastEdge = since;
    if (until < this.#window.to && until > this.lastEdge) this.lastEdge = until;
    this.#meter.add(since, until, type);
  }

  endCluster(): void {
    this.#meter.endCluster();
  }
}
