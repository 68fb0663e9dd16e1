import { BillingState, type Span, sweep } from '../../domain/billing/sweep.ts';
import type { GroupedUsageMeter } from '../../domain/billing/usage.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import { ClusterDecisions, type Reach } from './cluster-decisions.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** Columns of a row: one billed interval and the positions at which the ledger knows it. */
const FROM = 0;
/** Infinite while the interval is open, as is `CLOSED_BY`. */
const TO = 1;
const OPENED_BY = 2;
/** As known before this position, the interval is still open. */
const CLOSED_BY = 3;
/** The interval is known from this position on. */
const KNOWN_FROM = 4;
/** The interval is no longer known from this position on; infinite while it is known. */
const KNOWN_UNTIL = 5;
/** Number of the account that is billed. */
const ACCOUNT = 6;
/** Number of the cluster type; -1 for none. */
const TYPE = 7;
const WIDTH = 8;

const NO_TYPE = -1;
const OPEN = Number.POSITIVE_INFINITY;

/** Maximum number of rows of one cluster. A cluster with more is folded on each request, to save memory. */
const MAX_ROWS = 200_000;

/** Minimum number of facts in one update after which the rows are copied, to release unused capacity. */
const COMPACT_AFTER = 8;

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

/**
 * Billing of one cluster as known at every position: each interval has the positions between which it is known. A fact that
 * is effective after all earlier ones changes only the last interval. A late fact or a void changes the intervals up to the
 * next fact that decides the same thing: these are swept again, and the former ones remain for earlier positions.
 */
export class BillHistory {
  #rows: number[] = [];
  /** Position of the last applied fact. */
  #upTo = 0;
  /** The state after all applied facts. */
  #state = new BillingState<number>();
  /** The latest instant at which an active fact is effective and affects billing. */
  #latest = Number.NEGATIVE_INFINITY;
  /** The row of the open interval; -1 for none. */
  #open = -1;
  /** The rows that are known at the last position, by `FROM`; absent while these are all rows, in their order. */
  #current: number[] | undefined;
  /** Absent until the first late fact or void. */
  #decisions: ClusterDecisions | undefined;
  /** The changes made by the last applied fact. */
  #lastChanges: readonly BilledChange[] = [];

  /** Whether the cluster has too many rows, so that none are kept and the caller must fold its facts. */
  get isDisabled(): boolean {
    return this.#rows.length > MAX_ROWS * WIDTH;
  }

  /** Applies the facts since the last call. @param last position of the last fact of the cluster. */
  extend(facts: FactTable, last: number): void {
    if (last === this.#upTo || this.isDisabled) return;
    const added: number[] = [];
    for (let position = last; position > this.#upTo; position = facts.previousAt(position))
      added.push(position);
    for (let i = added.length - 1; i >= 0 && !this.isDisabled; i--) this.#take(facts, added[i] as number);
    this.#upTo = last;
    // An array that grew has unused capacity: after a replay it is half of the memory.
    if (added.length >= COMPACT_AFTER) this.#rows = this.#rows.slice();
  }

  /** The intervals that became known with the last applied fact, and those that are no longer known since. */
  get lastChanges(): readonly BilledChange[] {
    return this.#lastChanges;
  }

  #take(facts: FactTable, position: Position): void {
    this.#lastChanges = [];
    const target = facts.voidTargetOf(position);
    if (target !== undefined) {
      if (target !== 0 && target < position && facts.decidesBilling(target))
        this.#resweep(this.#decisionsBefore(facts, position).remove(target), position);
      return;
    }
    if (!facts.decidesBilling(position) || facts.wasVoidedEarly(position)) return;
    const at = facts.effectiveAt(position);
    if (at > this.#latest) {
      this.#takeNext(facts, position, at);
      this.#decisions?.add(position);
    } else {
      this.#resweep(this.#decisionsBefore(facts, position).add(position), position);
    }
  }

  /** Applies a fact that is effective after all earlier ones. */
  #takeNext(facts: FactTable, position: Position, at: Instant): void {
    this.#latest = at;
    for (const change of facts.changesBy(position)) this.#state.apply(change);
    const { isBilled } = this.#state;
    const changes: BilledChange[] = [];
    if (this.#open >= 0) {
      if (isBilled && this.#isOwnedAs(this.#open)) return;
      changes.push(this.#change(this.#open, -1));
      this.#rows[this.#open + TO] = at;
      this.#rows[this.#open + CLOSED_BY] = position;
      changes.push(this.#change(this.#open, 1));
      this.#open = -1;
    }
    if (isBilled) {
      const { account, type } = this.#state;
      const span = { from: at, to: OPEN, account, type, openedBy: position, closedBy: OPEN };
      this.#open = this.#push(span, position);
      this.#current?.push(this.#open);
      changes.push(this.#change(this.#open, 1));
    }
    this.#lastChanges = changes;
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

  #isOwnedAs(row: number): boolean {
    const { account, type } = this.#state;
    return this.#rows[row + ACCOUNT] === account && this.#rows[row + TYPE] === (type ?? NO_TYPE);
  }

  #push({ from, to, openedBy, closedBy, account, type }: Span<number>, knownFrom: number): number {
    return this.#rows.push(from, to, openedBy, closedBy, knownFrom, OPEN, account, type ?? NO_TYPE) - WIDTH;
  }

  /** Returns the decisions of the active facts before a position. Later updates keep them up to date. */
  #decisionsBefore(facts: FactTable, position: Position): ClusterDecisions {
    if (this.#decisions === undefined) {
      this.#decisions = new ClusterDecisions(facts);
      this.#decisions.addAll(facts.decisionsBefore(position));
    }
    return this.#decisions;
  }

  /** Computes the intervals again between two instants, both included, as known from a position on. */
  #resweep(reach: Reach, position: Position): void {
    const decisions = this.#decisions as ClusterDecisions;
    const current = this.#currentRows();
    const rows = this.#rows;
    // All intervals that touch the span.
    const first = this.#firstEndingFrom(current, reach.from);
    let behind = first;
    while (behind < current.length && (rows[(current[behind] as number) + FROM] as number) <= reach.to)
      behind++;
    const state = decisions.stateBefore(reach.from);
    const before = state.isBilled ? current[first] : undefined;
    const open = before === undefined ? undefined : { ...this.#span(before), to: OPEN, closedBy: OPEN };
    const spans = sweep(state, open, decisions.changesBetween(reach));
    const last = spans.at(-1);
    const after = current[behind - 1];
    if (last !== undefined && last.to === OPEN && after !== undefined) {
      // Nothing differs after the span, so the last interval ends where the former one did.
      const { to, closedBy } = this.#span(after);
      if (to > reach.to) spans[spans.length - 1] = { ...last, to, closedBy };
    }
    const replaced = current.slice(first, behind);
    const changes = replaced.map((row) => this.#change(row, -1));
    const kept = spans.map((span) => this.#rowFor(span, replaced, position));
    const isKept = new Set(kept);
    for (const row of replaced) if (!isKept.has(row)) rows[row + KNOWN_UNTIL] = position;
    current.splice(first, behind - first, ...kept);
    this.#lastChanges = [...changes, ...kept.map((row) => this.#change(row, 1))];
    const lastRow = current.at(-1);
    this.#open = lastRow !== undefined && rows[lastRow + TO] === OPEN ? lastRow : -1;
    this.#state = decisions.stateBefore(OPEN);
    this.#latest = decisions.latest;
  }

  #currentRows(): number[] {
    if (this.#current === undefined) {
      this.#current = [];
      for (let row = 0; row < this.#rows.length; row += WIDTH) this.#current.push(row);
    }
    return this.#current;
  }

  /** Returns the index of the first current row that ends at an instant or later. */
  #firstEndingFrom(current: readonly number[], at: Instant): number {
    let low = 0;
    let high = current.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[(current[middle] as number) + TO] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low;
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

  /** Returns the row of an interval: one of the replaced ones if it is the same, or only closed by this fact; else a new one. */
  #rowFor(span: Span<number>, replaced: readonly number[], position: Position): number {
    const rows = this.#rows;
    for (const row of replaced) {
      const isAlike =
        rows[row + FROM] === span.from &&
        rows[row + OPENED_BY] === span.openedBy &&
        rows[row + ACCOUNT] === span.account &&
        rows[row + TYPE] === (span.type ?? NO_TYPE);
      if (!isAlike) continue;
      if (rows[row + TO] === span.to && rows[row + CLOSED_BY] === span.closedBy) return row;
      if (rows[row + TO] !== OPEN || span.closedBy !== position) return this.#push(span, position);
      rows[row + TO] = span.to;
      rows[row + CLOSED_BY] = position;
      return row;
    }
    return this.#push(span, position);
  }

  /**
   * Adds to a meter what an account is billed for the cluster, as known at a position.
   * @param from billed time before this instant is not needed.
   */
  measure(meter: GroupedUsageMeter<number>, account: AccountNumber, asOf: Position, from: Instant): void {
    const rows = this.#rows;
    if (this.#current !== undefined && asOf >= this.#upTo) {
      for (let i = this.#current.length - 1; i >= 0; i--) {
        const row = this.#current[i] as number;
        if ((rows[row + TO] as number) <= from) return;
        this.#measureRow(meter, account, row, rows[row + TO] as number);
      }
      return;
    }
    for (let row = rows.length - WIDTH; row >= 0; row -= WIDTH) {
      const to = this.#endAsOf(row, asOf);
      if (to <= from) {
        if (this.#current === undefined) return;
        continue;
      }
      if (this.#isKnown(row, asOf)) this.#measureRow(meter, account, row, to);
    }
  }

  #measureRow(meter: GroupedUsageMeter<number>, account: AccountNumber, row: number, to: Instant): void {
    if (this.#rows[row + ACCOUNT] !== account) return;
    meter.add(this.#rows[row + FROM] as number, to, this.#rows[row + TYPE] as number);
  }

  #endAsOf(row: number, asOf: Position): Instant {
    return (this.#rows[row + CLOSED_BY] as number) <= asOf ? (this.#rows[row + TO] as number) : OPEN;
  }

  /** Returns by position which billed intervals become known there, or are no longer known from there on. */
  changes(): ReadonlyMap<number, readonly BilledChange[]> {
    const rows = this.#rows;
    const changes = new Map<number, BilledChange[]>();
    for (let row = 0; row < rows.length; row += WIDTH) {
      const [account, type] = [rows[row + ACCOUNT] as number, rows[row + TYPE] as number];
      const note = (position: Position, to: Instant, sign: 1 | -1) => {
        const change = { from: rows[row + FROM] as number, to, account, type, sign };
        const known = changes.get(position);
        if (known === undefined) changes.set(position, [change]);
        else known.push(change);
      };
      const [knownFrom, knownUntil] = [rows[row + KNOWN_FROM] as number, rows[row + KNOWN_UNTIL] as number];
      const [to, closedBy] = [rows[row + TO] as number, rows[row + CLOSED_BY] as number];
      note(knownFrom, closedBy <= knownFrom ? to : OPEN, 1);
      if (closedBy > knownFrom && closedBy < knownUntil) {
        note(closedBy, OPEN, -1);
        note(closedBy, to, 1);
      }
      if (knownUntil !== OPEN) note(knownUntil, closedBy < knownUntil ? to : OPEN, -1);
    }
    return changes;
  }

  /** Returns an instant before which nothing is billed differently at the two positions; infinite if nothing is at all. */
  unchangedUntil(before: number, after: number): Instant {
    const rows = this.#rows;
    let unchanged = OPEN;
    for (let row = 0; row < rows.length; row += WIDTH) {
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
    return (
      (this.#rows[row + KNOWN_FROM] as number) <= asOf && asOf < (this.#rows[row + KNOWN_UNTIL] as number)
    );
  }

  /** Returns the billed intervals as known at a position, in order. */
  spans(asOf: Position): BilledSpan[] {
    const rows = this.#rows;
    const spans: BilledSpan[] = [];
    for (let row = 0; row < rows.length; row += WIDTH) {
      if (!this.#isKnown(row, asOf)) continue;
      const closedBy = rows[row + CLOSED_BY] as number;
      const isClosed = closedBy <= asOf;
      spans.push({
        from: rows[row + FROM] as number,
        to: isClosed ? (rows[row + TO] as number) : null,
        account: rows[row + ACCOUNT] as number,
        type: rows[row + TYPE] as number,
        openedBy: rows[row + OPENED_BY] as number,
        closedBy: isClosed ? closedBy : null,
      });
    }
    return this.#current === undefined ? spans : spans.sort((a, b) => a.from - b.from);
  }

  /** Returns the earliest billed instant as known at a position; infinite if nothing is billed. */
  firstBilledAt(asOf: Position): Instant {
    let first = OPEN;
    for (let row = 0; row < this.#rows.length; row += WIDTH) {
      const from = this.#rows[row + FROM] as number;
      if (from < first && this.#isKnown(row, asOf)) first = from;
      if (this.#current === undefined && first !== OPEN) return first;
    }
    return first;
  }
}
