import type { Span } from '../../domain/billing/sweep.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** Columns of a row: one billed interval. */
const FROM = 0;
/** Infinite while the interval is open, as is `CLOSED_BY`. */
const TO = 1;
const OPENED_BY = 2;
/** As known before this position, the interval is still open. */
const CLOSED_BY = 3;
/** Number of the account that is billed. */
const ACCOUNT = 4;
/** Number of the cluster type; -1 for none. */
const TYPE = 5;
/** Number of columns as long as each interval is known from the fact on that opened it: most clusters have no late facts. */
const NARROW = 6;
/** The interval is known from this position on. */
const KNOWN_FROM = 6;
/** The interval is no longer known from this position on; infinite while it is known. */
const KNOWN_UNTIL = 7;
/** Number of columns once an interval was replaced. */
const WIDE = 8;

const NO_TYPE = -1;
const OPEN = Number.POSITIVE_INFINITY;

/** Maximum number of former rows of one cluster. If there are more, they are forgotten, to save memory. */
const MAX_FORMER_ROWS = 200_000;

/** Measures billed intervals by cluster type. */
export interface IntervalMeter {
  /** @param until infinite while the interval is open. @param type number of the cluster type; -1 for none. */
  add(since: Instant, until: Instant, type: number): void;
  /** Ends the current cluster: the next interval is of another one. */
  endCluster(): void;
}

/** A billed interval that becomes known at a position, or is no longer known from it on. */
export interface BilledChange {
  readonly from: Instant;
  /** Infinite while the interval is open. */
  readonly to: Instant;
  readonly account: AccountNumber;
  /** Number of the cluster type; -1 for none. */
  readonly type: number;
  readonly sign: 1 | -1;
}

/** A billed interval with the numbers of its account and type and the positions of the facts that opened and closed it. */
export interface BilledSpan {
  readonly from: Instant;
  readonly to: Instant | null;
  readonly account: AccountNumber;
  /** -1 for none. */
  readonly type: number;
  readonly openedBy: number;
  readonly closedBy: number | null;
}

/** As what a cluster is billed at an instant. */
export interface BilledAt {
  /** Absent if it is not billed. */
  readonly billed: { readonly account: AccountNumber; readonly type: number | null } | undefined;
  /** An instant until which that is certainly the same. */
  readonly nextEdge: Instant;
}

/** Intervals that are known now, from index `first` to the one before `behind`. */
interface Touched {
  readonly first: number;
  readonly behind: number;
  /** Absent if there are none, as is `lastSpan`. */
  readonly firstSpan?: Span<number>;
  readonly lastSpan?: Span<number>;
}

/**
 * The billed intervals of one cluster as known at every position: each has the positions between which it is known. The ones
 * that are known now are also kept in order of time.
 */
export class BilledRows {
  #rows: number[] = [];
  /** The rows that are known now, by `FROM`; absent while these are all rows, in their order, which are narrow then. */
  #current: number[] | undefined;
  #knownSince: Position = 0;

  /** Returns the rows of intervals of which earlier versions are not known. @param spans in order. */
  static of(spans: readonly Span<number>[], knownSince: Position): BilledRows {
    const rows = new BilledRows();
    for (const span of spans) rows.push(span, knownSince);
    rows.#knownSince = knownSince;
    rows.compact();
    return rows;
  }

  /** The first position from which on the intervals are known. Before it, the caller must fold the facts. */
  get knownSince(): Position {
    return this.#knownSince;
  }

  /** The interval that goes on after all facts. */
  get open(): Span<number> | undefined {
    const last = this.#currentRow(this.#length - 1);
    return last !== undefined && this.#rows[last + TO] === OPEN ? this.#span(last) : undefined;
  }

  /** Ends the open interval. @returns the change. */
  closeOpen(at: Instant, position: Position): BilledChange[] {
    const row = this.#currentRow(this.#length - 1) as number;
    const was = this.#change(row, -1);
    this.#rows[row + TO] = at;
    this.#rows[row + CLOSED_BY] = position;
    return [was, this.#change(row, 1)];
  }

  /** Adds an interval behind all others. @returns the change. */
  push(span: Span<number>, knownFrom: Position): BilledChange {
    const row = this.#add(span, knownFrom);
    this.#current?.push(row);
    return this.#change(row, 1);
  }

  /** Returns which intervals touch a span of time: the first and the last one, and their indexes. */
  touching(from: Instant, to: Instant): Touched {
    const first = this.#firstIndex((row) => (this.#rows[row + TO] as number) >= from);
    const behind = this.#firstIndex((row) => (this.#rows[row + FROM] as number) > to);
    if (behind <= first) return { first, behind: first };
    const [firstRow, lastRow] = [this.#currentRow(first), this.#currentRow(behind - 1)] as [number, number];
    return { first, behind, firstSpan: this.#span(firstRow), lastSpan: this.#span(lastRow) };
  }

  /**
   * Replaces intervals from a position on. Those that stay the same keep their rows.
   * @param touched as `touching` returns them. @param spans the new intervals, in order. @returns the changes.
   */
  replace({ first, behind }: Touched, spans: readonly Span<number>[], position: Position): BilledChange[] {
    const current = this.#widenedRows();
    const replaced = current.slice(first, behind);
    const changes = replaced.map((row) => this.#change(row, -1));
    const kept: number[] = [];
    let i = 0;
    for (const span of spans) {
      // Both are in order, and no two intervals begin at one instant.
      while (i < replaced.length && (this.#rows[(replaced[i] as number) + FROM] as number) < span.from) i++;
      kept.push(this.#rowFor(span, replaced[i], position));
    }
    const isKept = new Set(kept);
    for (const row of replaced) if (!isKept.has(row)) this.#rows[row + KNOWN_UNTIL] = position;
    // More arguments than this may not fit on the stack.
    if (kept.length < 10_000) current.splice(first, behind - first, ...kept);
    else this.#current = [...current.slice(0, first), ...kept, ...current.slice(behind)];
    return [...changes, ...kept.map((row) => this.#change(row, 1))];
  }

  /** Forgets the former rows if there are too many. @param position of the last applied fact. */
  forgetFormer(position: Position): void {
    if (this.#current === undefined) return;
    const former = this.#rows.length / WIDE - this.#current.length;
    if (former <= MAX_FORMER_ROWS) return;
    const rows: number[] = [];
    for (const row of this.#current) rows.push(...this.#rows.slice(row, row + NARROW));
    this.#rows = rows;
    this.#current = undefined;
    this.#knownSince = position;
  }

  /** Releases the unused capacity of the rows. */
  compact(): void {
    this.#rows = this.#rows.slice();
  }

  /** Number of intervals that are known now. */
  get #length(): number {
    return this.#current?.length ?? this.#rows.length / NARROW;
  }

  get #width(): number {
    return this.#current === undefined ? NARROW : WIDE;
  }

  #currentRow(index: number): number | undefined {
    if (this.#current !== undefined) return this.#current[index];
    return index >= 0 && index * NARROW < this.#rows.length ? index * NARROW : undefined;
  }

  /** Returns the rows that are known now, by `FROM`, and makes all rows wide. */
  #widenedRows(): number[] {
    if (this.#current === undefined) {
      const narrow = this.#rows;
      const rows: number[] = [];
      const current: number[] = [];
      for (let row = 0; row < narrow.length; row += NARROW) {
        current.push(rows.length);
        rows.push(...narrow.slice(row, row + NARROW), narrow[row + OPENED_BY] as number, OPEN);
      }
      this.#rows = rows;
      this.#current = current;
    }
    return this.#current;
  }

  /** Returns the index of the first current row for which a condition holds that holds for all behind it. */
  #firstIndex(holds: (row: number) => boolean): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#currentRow(middle) as number)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #add({ from, to, openedBy, closedBy, account, type }: Span<number>, knownFrom: Position): number {
    const row = this.#rows.push(from, to, openedBy, closedBy, account, type ?? NO_TYPE) - NARROW;
    if (this.#current !== undefined) this.#rows.push(knownFrom, OPEN);
    return row;
  }

  #change(row: number, sign: 1 | -1): BilledChange {
    const rows = this.#rows;
    return {
      from: rows[row + FROM] as number,
      to: rows[row + TO] as number,
      account: rows[row + ACCOUNT] as number,
      type: rows[row + TYPE] as number,
      sign,
    };
  }

  #span(row: number): Span<number> {
    const rows = this.#rows;
    const type = rows[row + TYPE] as number;
    return {
      from: rows[row + FROM] as number,
      to: rows[row + TO] as number,
      account: rows[row + ACCOUNT] as number,
      type: type === NO_TYPE ? null : type,
      openedBy: rows[row + OPENED_BY] as number,
      closedBy: rows[row + CLOSED_BY] as number,
    };
  }

  /** Returns the row of an interval: a replaced one if it is the same, or only closed by this fact; else a new one. */
  #rowFor(span: Span<number>, row: number | undefined, position: Position): number {
    const rows = this.#rows;
    const isAlike =
      row !== undefined &&
      rows[row + FROM] === span.from &&
      rows[row + OPENED_BY] === span.openedBy &&
      rows[row + ACCOUNT] === span.account &&
      rows[row + TYPE] === (span.type ?? NO_TYPE);
    if (!isAlike) return this.#add(span, position);
    if (rows[row + TO] === span.to && rows[row + CLOSED_BY] === span.closedBy) return row;
    if (rows[row + TO] !== OPEN || span.closedBy !== position) return this.#add(span, position);
    rows[row + TO] = span.to;
    rows[row + CLOSED_BY] = position;
    return row;
  }

  /**
   * Adds to a meter what an account is billed for the cluster, as known at a position.
   * @param asOf infinite for all facts. @param counted billed time outside this window is not needed.
   */
  measure(
    meter: Pick<IntervalMeter, 'add'>,
    account: AccountNumber,
    asOf: Position,
    { from, to }: Window,
  ): void {
    const rows = this.#rows;
    if (asOf === Number.POSITIVE_INFINITY) {
      for (let i = this.#firstIndex((row) => (rows[row + FROM] as number) >= to) - 1; i >= 0; i--) {
        const row = this.#currentRow(i) as number;
        const end = rows[row + TO] as number;
        if (end <= from) return;
        this.#measureRow(meter, account, row, end);
      }
      return;
    }
    const width = this.#width;
    for (let row = rows.length - width; row >= 0; row -= width) {
      const end = this.#endAsOf(row, asOf);
      if (end <= from) {
        if (this.#current === undefined) return;
        continue;
      }
      if (this.#isKnown(row, asOf)) this.#measureRow(meter, account, row, end);
    }
  }

  #measureRow(meter: Pick<IntervalMeter, 'add'>, account: AccountNumber, row: number, to: Instant): void {
    if (this.#rows[row + ACCOUNT] !== account) return;
    meter.add(this.#rows[row + FROM] as number, to, this.#rows[row + TYPE] as number);
  }

  #endAsOf(row: number, asOf: Position): Instant {
    return (this.#rows[row + CLOSED_BY] as number) <= asOf ? (this.#rows[row + TO] as number) : OPEN;
  }

  /** Returns an instant before which nothing is billed differently at the two positions; infinite if nothing is at all. */
  unchangedUntil(before: Position, after: Position): Instant {
    const [rows, width] = [this.#rows, this.#width];
    let unchanged = OPEN;
    for (let row = 0; row < rows.length; row += width) {
      const wasKnown = this.#isKnown(row, before);
      const isKnown = this.#isKnown(row, after);
      if (!wasKnown && !isKnown) continue;
      const closedBy = rows[row + CLOSED_BY] as number;
      if (wasKnown !== isKnown) unchanged = Math.min(unchanged, rows[row + FROM] as number);
      else if (before < closedBy && closedBy <= after)
        unchanged = Math.min(unchanged, rows[row + TO] as number);
    }
    return unchanged;
  }

  #isKnown(row: number, asOf: Position): boolean {
    const rows = this.#rows;
    if (this.#current === undefined) return (rows[row + OPENED_BY] as number) <= asOf;
    return (rows[row + KNOWN_FROM] as number) <= asOf && asOf < (rows[row + KNOWN_UNTIL] as number);
  }

  /** Returns the billed intervals as known at a position, in order. @param asOf infinite for all facts. */
  spans(asOf: Position): BilledSpan[] {
    const spans: BilledSpan[] = [];
    if (asOf === Number.POSITIVE_INFINITY) {
      for (let i = 0; i < this.#length; i++) spans.push(this.#spanAsOf(this.#currentRow(i) as number, asOf));
      return spans;
    }
    for (let row = 0; row < this.#rows.length; row += this.#width)
      if (this.#isKnown(row, asOf)) spans.push(this.#spanAsOf(row, asOf));
    return this.#current === undefined ? spans : spans.sort((a, b) => a.from - b.from);
  }

  #spanAsOf(row: number, asOf: Position): BilledSpan {
    const rows = this.#rows;
    const closedBy = rows[row + CLOSED_BY] as number;
    const isClosed = closedBy <= asOf && closedBy !== OPEN;
    return {
      from: rows[row + FROM] as number,
      to: isClosed ? (rows[row + TO] as number) : null,
      account: rows[row + ACCOUNT] as number,
      type: rows[row + TYPE] as number,
      openedBy: rows[row + OPENED_BY] as number,
      closedBy: isClosed ? closedBy : null,
    };
  }

  /** Returns the interval that contains an instant, by all facts, and the next instant at which an interval begins or ends. */
  at(instant: Instant): BilledAt {
    const behind = this.#firstIndex((row) => (this.#rows[row + FROM] as number) > instant);
    const last = this.#currentRow(behind - 1);
    const next = this.#currentRow(behind);
    const billed =
      last !== undefined && (this.#rows[last + TO] as number) > instant ? this.#span(last) : undefined;
    const nextEdge = billed?.to ?? (next === undefined ? OPEN : (this.#rows[next + FROM] as number));
    return { billed, nextEdge };
  }

  /** Returns the earliest billed instant as known at a position; infinite if nothing is billed. */
  firstBilledAt(asOf: Position): Instant {
    if (asOf === Number.POSITIVE_INFINITY) {
      const first = this.#currentRow(0);
      return first === undefined ? OPEN : (this.#rows[first + FROM] as number);
    }
    let first = OPEN;
    for (let row = 0; row < this.#rows.length; row += this.#width) {
      const from = this.#rows[row + FROM] as number;
      if (from < first && this.#isKnown(row, asOf)) first = from;
      if (this.#current === undefined && first !== OPEN) return first;
    }
    return first;
  }
}
