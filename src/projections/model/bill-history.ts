import { billActiveFacts, type Interval } from '../../domain/billing/billing.ts';
import type { UsageMeter } from '../../domain/billing/usage.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** A row: one billed interval, and the positions at which it is known. */
const FROM = 0;
/** Infinite while it is still billed, as is what closed it. */
const TO = 1;
const OPENED_BY = 2;
/** Before this position is known, the interval is known as one that is still billed. */
const CLOSED_BY = 3;
/** The interval is known from here on, */
const KNOWN_FROM = 4;
/** and before this; infinite where it still is. */
const KNOWN_UNTIL = 5;
/** Number of the account that it is billed to. */
const ACCOUNT = 6;
const WIDTH = 7;

/** Facts that are looked at again because one came late, after which it is cheaper to fold when one is asked. */
const MOST_FOLDED_AGAIN = 200_000;

/** Facts taken in at once, from which on the rows are put into as little memory as they need. */
const MANY = 8;

/** A billed interval that becomes known, or is known no longer. */
export interface BilledChange {
  readonly from: Instant;
  /** Infinite where it is still billed. */
  readonly to: Instant;
  readonly sign: 1 | -1;
}

/**
 * How one cluster is billed as known at every position: each interval with the positions between which it is known. A fact
 * that is effective after all before it changes one interval at the most, and is taken in by itself; where one is late, or
 * voids another, the cluster is folded again by the rules of the domain, and what differs is kept beside what was known.
 */
export class BillHistory {
  #rows: number[] = [];
  /** Position of the last fact that was taken in. */
  #upTo: Position = 0;
  #isRegistered = false;
  #isBillable = false;
  #isDeleted = false;
  #account: AccountNumber = 0;
  #stoppedByUnreachable = false;
  #stoppedByManual = false;
  /** The latest instant at which a fact that counts is effective. */
  #latest = Number.NEGATIVE_INFINITY;
  /** The row of the interval that is still billed; -1 for none. */
  #open = -1;
  /** Whether the rows are in order and none overlaps another. */
  #isInOrder = true;
  /** Whether a fact was voided before it came: then each is looked at with all the others. */
  #hasEarlyVoid = false;
  #refoldedFacts = 0;

  /** Whether so much came late that this keeps nothing: whoever asks has to fold. */
  get isDisabled(): boolean {
    return this.#refoldedFacts > MOST_FOLDED_AGAIN;
  }

  /** Takes in what is new. @param last position of the last fact of the cluster. */
  extend(facts: FactTable, last: Position): void {
    if (last === this.#upTo || this.isDisabled) return;
    const fresh: Position[] = [];
    for (let position = last; position > this.#upTo; position = facts.previousAt(position))
      fresh.push(position);
    for (let i = fresh.length - 1; i >= 0 && !this.isDisabled; i--) this.#take(facts, fresh[i] as number);
    this.#upTo = last;
    if (this.isDisabled) this.#rows = [];
    // A list that grew holds room for as much again: after a replay that is half of the memory.
    else if (fresh.length >= MANY) this.#rows = this.#rows.slice();
  }

  #take(facts: FactTable, position: Position): void {
    const voided = facts.voidTargetOf(position);
    if (voided !== undefined) {
      if (voided === 0 || voided > position) this.#hasEarlyVoid = true;
      else if (facts.switchesBilling(voided)) this.#foldAgain(facts, position);
      return;
    }
    if (!facts.switchesBilling(position)) return;
    const at = facts.effectiveAt(position);
    if (at <= this.#latest || this.#hasEarlyVoid) this.#foldAgain(facts, position);
    else this.#takeNext(facts, position, at);
  }

  /** A fact that is effective after all before it. */
  #takeNext(facts: FactTable, position: Position, at: Instant): void {
    this.#latest = at;
    switch (facts.typeAt(position)) {
      case 'ClusterRegistered':
        if (this.#isRegistered) return;
        this.#isRegistered = true;
        this.#isBillable = facts.isBillableAt(position);
        this.#account = facts.accountAt(position);
        break;
      case 'ClusterDeleted':
        this.#isDeleted = true;
        break;
      case 'BillingStopped':
        this.#hold(facts, position, true);
        break;
      default:
        this.#hold(facts, position, false);
    }
    const isBilled =
      this.#isRegistered &&
      this.#isBillable &&
      !this.#isDeleted &&
      !this.#stoppedByUnreachable &&
      !this.#stoppedByManual;
    if (isBilled === this.#open >= 0) return;
    if (isBilled) {
      this.#open = this.#rows.length;
      this.#push(at, Number.POSITIVE_INFINITY, position, Number.POSITIVE_INFINITY, position);
    } else {
      this.#rows[this.#open + TO] = at;
      this.#rows[this.#open + CLOSED_BY] = position;
      this.#open = -1;
    }
  }

  #hold(facts: FactTable, position: Position, holds: boolean): void {
    if (facts.causeAt(position) === 'unreachable') this.#stoppedByUnreachable = holds;
    else this.#stoppedByManual = holds;
  }

  #push(from: Instant, to: Instant, openedBy: number, closedBy: number, knownFrom: number): void {
    this.#rows.push(from, to, openedBy, closedBy, knownFrom, Number.POSITIVE_INFINITY, this.#account);
  }

  /** All facts up to a position, by the rules of the domain. */
  #foldAgain(facts: FactTable, position: Position): void {
    const counting = facts.activeFacts(position, position, String);
    this.#refoldedFacts += counting.length;
    this.#isInOrder = false;
    const { registration, deletion, switches, intervals } = billActiveFacts(counting);
    this.#isRegistered = registration !== undefined;
    this.#isBillable = registration?.fact.billable === true;
    this.#isDeleted = deletion !== undefined;
    if (registration !== undefined) this.#account = facts.accountAt(registration.order);
    this.#stoppedByUnreachable = switches.unreachable.at(-1)?.stops === true;
    this.#stoppedByManual = switches.manual.at(-1)?.stops === true;
    this.#latest = Number.NEGATIVE_INFINITY;
    for (const { order, fact } of counting)
      if (facts.switchesBilling(order)) this.#latest = Math.max(this.#latest, fact.effectiveAt);
    this.#replace(intervals, position);
  }

  /** From a position on these intervals are known, and no others. */
  #replace(intervals: readonly Interval[], position: Position): void {
    const known = new Map<Instant, number>();
    for (let row = 0; row < this.#rows.length; row += WIDTH)
      if (this.#rows[row + KNOWN_UNTIL] === Number.POSITIVE_INFINITY)
        known.set(this.#rows[row + FROM] as number, row);
    this.#open = -1;
    for (const { from, to, openedBy, closedBy } of intervals) {
      let row = known.get(from);
      const [until, by] = [to ?? Number.POSITIVE_INFINITY, closedBy ?? Number.POSITIVE_INFINITY];
      if (row !== undefined && this.#isSame(row, until, openedBy, by)) {
        known.delete(from);
      } else {
        row = this.#rows.length;
        this.#push(from, until, openedBy, by, position);
      }
      if (to === null) this.#open = row;
    }
    for (const row of known.values()) this.#rows[row + KNOWN_UNTIL] = position;
  }

  #isSame(row: number, to: Instant, openedBy: number, closedBy: number): boolean {
    const rows = this.#rows;
    return (
      rows[row + TO] === to &&
      rows[row + OPENED_BY] === openedBy &&
      rows[row + CLOSED_BY] === closedBy &&
      rows[row + ACCOUNT] === this.#account
    );
  }

  /** Adds what is billed of the cluster to an account, as known at a position. @param from nothing before it counts. */
  measure(meter: UsageMeter, account: AccountNumber, asOf: Position, from: Instant): void {
    const rows = this.#rows;
    for (let row = rows.length - WIDTH; row >= 0; row -= WIDTH) {
      const isClosed = (rows[row + CLOSED_BY] as number) <= asOf;
      const to = isClosed ? (rows[row + TO] as number) : Number.POSITIVE_INFINITY;
      if (to <= from) {
        if (this.#isInOrder) return;
        continue;
      }
      if (!this.#isKnown(row, asOf)) continue;
      if (rows[row + ACCOUNT] === account) meter.add(rows[row + FROM] as number, to);
    }
  }

  /** By position: what becomes known there of what is billed to an account. */
  changes(account: AccountNumber): ReadonlyMap<Position, readonly BilledChange[]> {
    const rows = this.#rows;
    const changes = new Map<Position, BilledChange[]>();
    const note = (position: Position, from: Instant, to: Instant, sign: 1 | -1) => {
      const known = changes.get(position);
      if (known === undefined) changes.set(position, [{ from, to, sign }]);
      else known.push({ from, to, sign });
    };
    for (let row = 0; row < rows.length; row += WIDTH) {
      if (rows[row + ACCOUNT] !== account) continue;
      const [from, to] = [rows[row + FROM] as number, rows[row + TO] as number];
      const [since, until] = [rows[row + KNOWN_FROM] as number, rows[row + KNOWN_UNTIL] as number];
      const closedBy = rows[row + CLOSED_BY] as number;
      note(since, from, closedBy <= since ? to : Number.POSITIVE_INFINITY, 1);
      if (closedBy > since && closedBy < until) {
        note(closedBy, from, Number.POSITIVE_INFINITY, -1);
        note(closedBy, from, to, 1);
      }
      if (until !== Number.POSITIVE_INFINITY)
        note(until, from, closedBy < until ? to : Number.POSITIVE_INFINITY, -1);
    }
    return changes;
  }

  /** No instant before this one is billed otherwise at the second position than at the first; infinite where none is. */
  unchangedUntil(before: Position, after: Position): Instant {
    const rows = this.#rows;
    let unchanged = Number.POSITIVE_INFINITY;
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

  /** The billed intervals, in order, as known at a position. */
  intervals(asOf: Position): Interval[] {
    const rows = this.#rows;
    const intervals: Interval[] = [];
    for (let row = 0; row < rows.length; row += WIDTH) {
      if (!this.#isKnown(row, asOf)) continue;
      const closedBy = rows[row + CLOSED_BY] as number;
      const isClosed = closedBy <= asOf;
      intervals.push({
        from: rows[row + FROM] as number,
        to: isClosed ? (rows[row + TO] as number) : null,
        openedBy: rows[row + OPENED_BY] as number,
        closedBy: isClosed ? closedBy : null,
      });
    }
    return this.#isInOrder ? intervals : intervals.sort((a, b) => a.from - b.from);
  }

  /** Number of the account that it is billed to, as known at a position; `undefined` where it is not billed at all. */
  account(asOf: Position): AccountNumber | undefined {
    const rows = this.#rows;
    for (let row = 0; row < rows.length; row += WIDTH) {
      const isKnown =
        (rows[row + KNOWN_FROM] as number) <= asOf && asOf < (rows[row + KNOWN_UNTIL] as number);
      if (isKnown) return rows[row + ACCOUNT] as number;
    }
    return undefined;
  }
}
