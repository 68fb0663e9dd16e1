import { BillingState, sweep } from '../../domain/billing/sweep.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import {
  type BilledAt,
  type BilledChange,
  BilledRows,
  type BilledSpan,
  type IntervalMeter,
} from './billed-rows.ts';
import { type BillingDifference, differenceOf, EditDifference } from './billing-difference.ts';
import { ClusterDecisions, type Edit } from './cluster-decisions.ts';
import { knownPositions, stateChanges } from './cluster-facts.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';
import { InOrderState, type LatestState } from './latest-state.ts';

const OPEN = Number.POSITIVE_INFINITY;
const ALWAYS = { from: Number.NEGATIVE_INFINITY, to: OPEN };

/** Minimum number of facts in one update after which the rows are copied, to release unused capacity. */
const COMPACT_AFTER = 8;

/** Maximum number of facts that a late fact may concern so that the intervals between them are computed at once. */
const MAX_RESWEPT = 128;

/**
 * The change that a fact makes: the intervals that became known with it, and those that are no longer known since; an edit if
 * they were not computed.
 */
export type HistoryChange = readonly BilledChange[] | Edit;

const NO_CHANGE: HistoryChange = [];

/**
 * Billing of one cluster as known at every position. A fact that is effective after all earlier ones changes only the last
 * interval. A late fact or a void changes the intervals up to the next fact that decides the same thing: these are swept
 * again, and the former ones remain for earlier positions. If these are very many, as after a stop for a cause that no later
 * fact mentions, all intervals are forgotten and computed again when they are asked for. So the cost of a fact does not depend
 * on the length of the history.
 */
export class BillHistory {
  /** Absent after a fact that concerns very many others, until asked for. */
  #rows: BilledRows | undefined = new BilledRows();
  /** Position of the last applied fact. */
  #upTo = 0;
  /**
   * The state after all applied facts, an `InOrderState` as long as there are no decisions. It is not kept up to date while there
   * are no rows, nor is `#latest`.
   */
  #state: BillingState<AccountNumber> = new InOrderState();
  /** Position of an active fact that affects billing, and none is effective later; 0 if there is none. */
  #latest: Position = 0;
  /** Absent until the first late fact or void. */
  #decisions: ClusterDecisions | undefined;

  /**
   * Applies the facts since the last call.
   * @param last position of the last fact of the cluster.
   * @param maxReswept infinite if the change by each fact must be known as intervals.
   * @returns the change by the last of them; `undefined` if there are none.
   */
  extend(facts: FactTable, last: Position, maxReswept = MAX_RESWEPT): HistoryChange | undefined {
    if (last === this.#upTo) return undefined;
    const added: Position[] = [];
    for (let position = last; position > this.#upTo; position = facts.previousAt(position))
      added.push(position);
    let change = NO_CHANGE;
    for (const position of added.reverse()) {
      change = this.#take(facts, position, maxReswept);
      this.#rows?.forgetFormer(position);
    }
    this.#upTo = last;
    if (added.length >= COMPACT_AFTER) this.compact();
    return change;
  }

  /** Releases the unused capacity of the rows, which grew: after a replay it is half of the memory. */
  compact(): void {
    this.#rows?.compact();
  }

  /** Returns how the last applied fact changed the billing. It holds until the next fact is applied. @param change by that fact. */
  differenceBy(change: HistoryChange): BillingDifference {
    return 'formers' in change
      ? new EditDifference(this.#decisions as ClusterDecisions, change)
      : differenceOf(change);
  }

  /** The state after all applied facts. It holds until the next fact is applied. */
  latestState(facts: FactTable): LatestState {
    return this.#decisions ?? this.#inOrder.latest(facts);
  }

  /** Returns whether the intervals are known as of a position. If not, the caller must fold the facts. */
  remembers(asOf: Position): boolean {
    return asOf >= (this.#rows?.knownSince ?? this.#upTo);
  }

  #take(facts: FactTable, position: Position, maxReswept: number): HistoryChange {
    if (facts.voidTargetOf(position) === undefined) {
      if (facts.wasVoidedEarly(position)) return NO_CHANGE;
      if (!facts.decidesBilling(position)) return this.#takeOther(facts, position);
      if (this.#rows !== undefined && this.#isNext(facts, position))
        return this.#takeNext(facts, position, this.#rows);
    }
    const edit = this.#editBy(facts, position);
    return edit === undefined ? NO_CHANGE : this.#takeEdit(edit, position, maxReswept);
  }

  /** Adds a late fact to the decisions, or removes the fact that a void names. @returns what differs; `undefined` if nothing does. */
  #editBy(facts: FactTable, position: Position): Edit | undefined {
    const target = facts.voidTargetOf(position);
    if (target === undefined) return this.#decisionsBefore(facts, position).add(position);
    // A void that comes before its fact has an effect when that is recorded.
    if (target === 0 || target >= position) return undefined;
    // A fact of another cluster cannot be voided, nor can a void.
    if (facts.clusterAt(target) !== facts.clusterAt(position) || facts.voidTargetOf(target) !== undefined)
      return undefined;
    // A fact whose void came first has never been active, so another void of it changes nothing.
    if (facts.wasVoidedEarly(target)) return undefined;
    return this.#decisionsBefore(facts, position).remove(target);
  }

  /** Applies a fact that decides nothing about the billing. */
  #takeOther(facts: FactTable, position: Position): HistoryChange {
    if (this.#decisions === undefined) this.#inOrder.takeOther(facts, position);
    else this.#decisions.add(position);
    return NO_CHANGE;
  }

  get #inOrder(): InOrderState {
    return this.#state as InOrderState;
  }

  /** Returns whether a fact is effective after all earlier ones. */
  #isNext(facts: FactTable, position: Position): boolean {
    return this.#latest === 0 || facts.effectiveAt(position) > facts.effectiveAt(this.#latest);
  }

  /** Applies a fact that is effective after all earlier ones. */
  #takeNext(facts: FactTable, position: Position, rows: BilledRows): HistoryChange {
    const at = facts.effectiveAt(position);
    this.#latest = position;
    if (this.#decisions === undefined) {
      this.#inOrder.takeNext(facts, position);
    } else {
      for (const change of stateChanges(facts, position)) this.#state.apply(change);
      this.#decisions.add(position);
    }
    const { isBilled, account, type } = this.#state;
    const changes: BilledChange[] = [];
    const { open } = rows;
    if (open !== undefined) {
      if (isBilled && open.account === account && open.type === type) return NO_CHANGE;
      changes.push(...rows.closeOpen(at, position));
    }
    if (isBilled) {
      const span = { from: at, to: OPEN, account, type, openedBy: position, closedBy: OPEN };
      changes.push(rows.push(span, position));
    }
    return changes;
  }

  /** Returns the decisions of the active facts before a position. Later updates keep them up to date. */
  #decisionsBefore(facts: FactTable, position: Position): ClusterDecisions {
    if (this.#decisions === undefined) {
      const last = facts.previousAt(position);
      this.#decisions = new ClusterDecisions(facts, knownPositions(facts, last, last));
    }
    return this.#decisions;
  }

  /** Applies a late fact or a void, of which the decisions have been edited. */
  #takeEdit(edit: Edit, position: Position, maxReswept: number): HistoryChange {
    const decisions = this.#decisions as ClusterDecisions;
    if (this.#rows !== undefined && decisions.countBetween(edit) <= maxReswept)
      return this.#resweep(edit, position, this.#rows, decisions);
    this.#rows = undefined;
    return edit;
  }

  /** Computes the intervals again between two instants, both included, as known from a position on. */
  #resweep(
    reach: Edit,
    position: Position,
    rows: BilledRows,
    decisions: ClusterDecisions,
  ): readonly BilledChange[] {
    const touched = rows.touching(reach.from, reach.to);
    const state = decisions.stateBefore(reach.from);
    const { firstSpan, lastSpan } = touched;
    const open =
      state.isBilled && firstSpan !== undefined ? { ...firstSpan, to: OPEN, closedBy: OPEN } : undefined;
    const spans = sweep(state, open, decisions.changesBetween(reach));
    const last = spans.at(-1);
    // Nothing differs after the span, so the last interval ends where the former one did.
    if (last !== undefined && last.to === OPEN && lastSpan !== undefined && lastSpan.to > reach.to)
      spans[spans.length - 1] = { ...last, to: lastSpan.to, closedBy: lastSpan.closedBy };
    this.#state = decisions.stateBefore(OPEN);
    this.#latest = decisions.latest;
    return rows.replace(touched, spans, position);
  }

  /** Returns the rows, computed if there are none. */
  #computedRows(): BilledRows {
    if (this.#rows === undefined) {
      const decisions = this.#decisions as ClusterDecisions;
      this.#state = new BillingState<number>();
      const spans = sweep(this.#state, undefined, decisions.changesBetween(ALWAYS));
      this.#rows = BilledRows.of(spans, this.#upTo);
      this.#latest = decisions.latest;
    }
    return this.#rows;
  }

  /**
   * Adds to a meter what an account is billed for the cluster, as known at a position.
   * @param counted billed time outside this window is not needed.
   */
  measure(meter: Pick<IntervalMeter, 'add'>, account: AccountNumber, asOf: Position, counted: Window): void {
    this.#computedRows().measure(meter, account, this.#clamped(asOf), counted);
  }

  /** Returns an instant before which nothing is billed differently at the two positions; infinite if nothing is at all. */
  unchangedUntil(before: Position, after: Position): Instant {
    return this.#computedRows().unchangedUntil(before, after);
  }

  /** Returns the billed intervals as known at a position, in order. */
  spans(asOf: Position): BilledSpan[] {
    return this.#computedRows().spans(this.#clamped(asOf));
  }

  /** Returns as what the cluster is billed at an instant, by all facts. */
  at(instant: Instant): BilledAt {
    return this.#rows?.at(instant) ?? (this.#decisions as ClusterDecisions).billedAt(instant);
  }

  /** Returns the earliest billed instant as known at a position; infinite if nothing is billed. */
  firstBilledAt(asOf: Position): Instant {
    return this.#computedRows().firstBilledAt(this.#clamped(asOf));
  }

  /** Returns infinity for a position that has all facts, because then no former interval must be looked at. */
  #clamped(asOf: Position): Position {
    return asOf >= this.#upTo ? Number.POSITIVE_INFINITY : asOf;
  }
}
