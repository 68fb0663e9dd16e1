import { BillingState, sweep } from '../../domain/billing/sweep.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import { type BilledChange, BilledRows, type BilledSpan, type IntervalMeter } from './billed-rows.ts';
import { ClusterDecisions, type Reach } from './cluster-decisions.ts';
import { activePositions, stateChanges } from './cluster-facts.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';

const OPEN = Number.POSITIVE_INFINITY;

/** Minimum number of facts in one update after which the rows are copied, to release unused capacity. */
const COMPACT_AFTER = 8;

/**
 * Billing of one cluster as known at every position. A fact that is effective after all earlier ones changes only the last
 * interval. A late fact or a void changes the intervals up to the next fact that decides the same thing: these are swept
 * again, and the former ones remain for earlier positions.
 */
export class BillHistory {
  readonly #rows = new BilledRows();
  /** Position of the last applied fact. */
  #upTo = 0;
  /** The state after all applied facts. */
  #state = new BillingState<number>();
  /** The latest instant at which an active fact is effective and affects billing. */
  #latest = Number.NEGATIVE_INFINITY;
  /** Absent until the first late fact, void, or question about them. */
  #decisions: ClusterDecisions | undefined;
  /** The changes made by the last applied fact. */
  #lastChanges: readonly BilledChange[] = [];

  /** Applies the facts since the last call. @param last position of the last fact of the cluster. */
  extend(facts: FactTable, last: Position): void {
    if (last === this.#upTo) return;
    const added: Position[] = [];
    for (let position = last; position > this.#upTo; position = facts.previousAt(position))
      added.push(position);
    for (const position of added.reverse()) {
      this.#take(facts, position);
      this.#rows.forgetFormer(position);
    }
    this.#upTo = last;
    // An array that grew has unused capacity: after a replay it is half of the memory.
    if (added.length >= COMPACT_AFTER) this.#rows.compact();
  }

  /** The intervals that became known with the last applied fact, and those that are no longer known since. */
  get lastChanges(): readonly BilledChange[] {
    return this.#lastChanges;
  }

  /** The active facts after all applied ones, by what they decide. */
  decisions(facts: FactTable): ClusterDecisions {
    this.#decisions ??= new ClusterDecisions(facts, activePositions(facts, this.#upTo, this.#upTo));
    return this.#decisions;
  }

  /** Returns whether the intervals are known as of a position. If not, the caller must fold the facts. */
  remembers(asOf: Position): boolean {
    return asOf >= this.#rows.knownSince;
  }

  #take(facts: FactTable, position: Position): void {
    this.#lastChanges = [];
    const target = facts.voidTargetOf(position);
    if (target !== undefined) {
      this.#takeVoid(facts, position, target);
      return;
    }
    if (facts.wasVoidedEarly(position)) return;
    const at = facts.effectiveAt(position);
    if (facts.decidesBilling(position)) {
      if (at <= this.#latest) {
        this.#resweep(this.#decisionsBefore(facts, position).add(position), position);
        return;
      }
      this.#takeNext(facts, position, at);
    }
    this.#decisions?.add(position);
  }

  #takeVoid(facts: FactTable, position: Position, target: Position): void {
    // A void that comes before its fact has an effect when that is recorded.
    if (target === 0 || target >= position) return;
    // A fact of another cluster cannot be voided, nor can a void.
    if (facts.clusterAt(target) !== facts.clusterAt(position) || facts.voidTargetOf(target) !== undefined)
      return;
    // A fact whose void came first has never been active, so another void of it changes nothing.
    if (facts.wasVoidedEarly(target)) return;
    if (facts.decidesBilling(target))
      this.#resweep(this.#decisionsBefore(facts, position).remove(target), position);
    else this.#decisions?.remove(target);
  }

  /** Applies a fact that is effective after all earlier ones. */
  #takeNext(facts: FactTable, position: Position, at: Instant): void {
    this.#latest = at;
    for (const change of stateChanges(facts, position)) this.#state.apply(change);
    const { isBilled, account, type } = this.#state;
    const changes: BilledChange[] = [];
    const { open } = this.#rows;
    if (open !== undefined) {
      if (isBilled && open.account === account && open.type === type) return;
      changes.push(...this.#rows.closeOpen(at, position));
    }
    if (isBilled) {
      const span = { from: at, to: OPEN, account, type, openedBy: position, closedBy: OPEN };
      changes.push(this.#rows.push(span, position));
    }
    this.#lastChanges = changes;
  }

  /** Returns the decisions of the active facts before a position. Later updates keep them up to date. */
  #decisionsBefore(facts: FactTable, position: Position): ClusterDecisions {
    if (this.#decisions === undefined) {
      const last = facts.previousAt(position);
      this.#decisions = new ClusterDecisions(facts, activePositions(facts, last, last));
    }
    return this.#decisions;
  }

  /** Computes the intervals again between two instants, both included, as known from a position on. */
  #resweep(reach: Reach | undefined, position: Position): void {
    if (reach === undefined) return;
    const decisions = this.#decisions as ClusterDecisions;
    const touched = this.#rows.touching(reach.from, reach.to);
    const state = decisions.stateBefore(reach.from);
    const { firstSpan, lastSpan } = touched;
    const open =
      state.isBilled && firstSpan !== undefined ? { ...firstSpan, to: OPEN, closedBy: OPEN } : undefined;
    const spans = sweep(state, open, decisions.changesBetween(reach));
    const last = spans.at(-1);
    // Nothing differs after the span, so the last interval ends where the former one did.
    if (last !== undefined && last.to === OPEN && lastSpan !== undefined && lastSpan.to > reach.to)
      spans[spans.length - 1] = { ...last, to: lastSpan.to, closedBy: lastSpan.closedBy };
    this.#lastChanges = this.#rows.replace(touched, spans, position);
    this.#state = decisions.stateBefore(OPEN);
    this.#latest = decisions.latest;
  }

  /**
   * Adds to a meter what an account is billed for the cluster, as known at a position.
   * @param counted billed time outside this window is not needed.
   */
  measure(meter: Pick<IntervalMeter, 'add'>, account: AccountNumber, asOf: Position, counted: Window): void {
    this.#rows.measure(meter, account, this.#clamped(asOf), counted);
  }

  /** Returns by position how the billed intervals change there. They are complete only if position 0 is remembered. */
  changes(): ReadonlyMap<number, readonly BilledChange[]> {
    return this.#rows.changes();
  }

  /** Returns an instant before which nothing is billed differently at the two positions; infinite if nothing is at all. */
  unchangedUntil(before: Position, after: Position): Instant {
    return this.#rows.unchangedUntil(before, after);
  }

  /** Returns the billed intervals as known at a position, in order. */
  spans(asOf: Position): BilledSpan[] {
    return this.#rows.spans(this.#clamped(asOf));
  }

  /** Returns the interval that contains an instant, by all facts, and when the next one begins or this one ends. */
  at(instant: Instant): ReturnType<BilledRows['at']> {
    return this.#rows.at(instant);
  }

  /** Returns the earliest billed instant as known at a position; infinite if nothing is billed. */
  firstBilledAt(asOf: Position): Instant {
    return this.#rows.firstBilledAt(this.#clamped(asOf));
  }

  /** Returns infinity for a position that has all facts, because then no former interval must be looked at. */
  #clamped(asOf: Position): Position {
    return asOf >= this.#upTo ? Number.POSITIVE_INFINITY : asOf;
  }
}
