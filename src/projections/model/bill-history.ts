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
 * Billing of one cluster as known at every position. A fact that is effective after all earlier ones changes only the last
 * interval. A late fact or a void changes the intervals up to the next fact that decides the same thing: these are swept
 * again, and the former ones remain for earlier positions. If these are very many, as after a stop for a cause that no later
 * fact mentions, all intervals are forgotten and computed again when they are asked for. So the cost of a fact does not depend
 * on the length of the history.
 */
export class BillHistory {
  readonly #maxReswept: number;
  /** Absent after a fact that concerns very many others, until asked for. */
  #rows: BilledRows | undefined = new BilledRows();
  /** Position of the last applied fact. */
  #upTo = 0;
  /** The state after all applied facts. It is not kept up to date while there are no rows, as is `#latest`. */
  #state = new BillingState<number>();
  /** The latest instant at which an active fact is effective and affects billing. */
  #latest = Number.NEGATIVE_INFINITY;
  /** Absent before the first fact, and from the first late fact or void on. */
  #inOrder: InOrderState | undefined;
  /** Absent until the first late fact or void. */
  #decisions: ClusterDecisions | undefined;
  /** The changes made by the last applied fact; an edit if the rows were not computed. Absent once forgotten. */
  #lastChange: readonly BilledChange[] | Edit | undefined = [];

  /** @param maxReswept infinite if the changes by each fact must be known (`lastChanges`). */
  constructor(maxReswept = MAX_RESWEPT) {
    this.#maxReswept = maxReswept;
  }

  /** Applies the facts since the last call. @param last position of the last fact of the cluster. @returns whether there are any. */
  extend(facts: FactTable, last: Position): boolean {
    if (last === this.#upTo) return false;
    const added: Position[] = [];
    for (let position = last; position > this.#upTo; position = facts.previousAt(position))
      added.push(position);
    for (const position of added.reverse()) {
      this.#take(facts, position);
      this.#rows?.forgetFormer(position);
    }
    this.#upTo = last;
    if (added.length >= COMPACT_AFTER) this.compact();
    return true;
  }

  /** Releases the unused capacity of the rows, which grew: after a replay it is half of the memory. */
  compact(): void {
    this.#rows?.compact();
  }

  /** How the last applied fact changed the billing. It holds until the next fact is applied. */
  get lastDifference(): BillingDifference {
    const change = this.#knownLastChange;
    return 'formers' in change
      ? new EditDifference(this.#decisions as ClusterDecisions, change)
      : differenceOf(change);
  }

  /**
   * The intervals that became known with the last applied fact, and those that are no longer known since; `undefined` if they
   * were not computed.
   */
  get lastChanges(): readonly BilledChange[] | undefined {
    const change = this.#knownLastChange;
    return 'formers' in change ? undefined : change;
  }

  get #knownLastChange(): readonly BilledChange[] | Edit {
    if (this.#lastChange === undefined) throw new Error('the last change of the history has been forgotten');
    return this.#lastChange;
  }

  /** Forgets the changes made by the last applied fact, to save memory. */
  forgetLastChange(): void {
    this.#lastChange = undefined;
  }

  /** The state after all applied facts. It holds until the next fact is applied. */
  latestState(facts: FactTable): LatestState {
    return this.#decisions ?? this.#inOrder ?? new InOrderState(facts, this.#state);
  }

  /** Returns whether the intervals are known as of a position. If not, the caller must fold the facts. */
  remembers(asOf: Position): boolean {
    return asOf >= (this.#rows?.knownSince ?? this.#upTo);
  }

  #take(facts: FactTable, position: Position): void {
    this.#lastChange = [];
    const target = facts.voidTargetOf(position);
    if (target !== undefined) {
      this.#takeVoid(facts, position, target);
      return;
    }
    if (facts.wasVoidedEarly(position)) return;
    if (!facts.decidesBilling(position)) this.#takeOther(facts, position);
    else if (this.#rows !== undefined && facts.effectiveAt(position) > this.#latest)
      this.#takeNext(facts, position, this.#rows);
    else this.#takeEdit(this.#decisionsBefore(facts, position).add(position), position);
  }

  #takeVoid(facts: FactTable, position: Position, target: Position): void {
    // A void that comes before its fact has an effect when that is recorded.
    if (target === 0 || target >= position) return;
    // A fact of another cluster cannot be voided, nor can a void.
    if (facts.clusterAt(target) !== facts.clusterAt(position) || facts.voidTargetOf(target) !== undefined)
      return;
    // A fact whose void came first has never been active, so another void of it changes nothing.
    if (facts.wasVoidedEarly(target)) return;
    // `undefined` if the fact decides nothing about the billing.
    this.#takeEdit(this.#decisionsBefore(facts, position).remove(target), position);
  }

  /** Applies a fact that decides nothing about the billing. */
  #takeOther(facts: FactTable, position: Position): void {
    if (this.#decisions === undefined) this.#inOrderFacts(facts).takeOther(position);
    else this.#decisions.add(position);
  }

  #inOrderFacts(facts: FactTable): InOrderState {
    this.#inOrder ??= new InOrderState(facts, this.#state);
    return this.#inOrder;
  }

  /** Applies a fact that is effective after all earlier ones. */
  #takeNext(facts: FactTable, position: Position, rows: BilledRows): void {
    const at = facts.effectiveAt(position);
    this.#latest = at;
    if (this.#decisions === undefined) {
      this.#inOrderFacts(facts).takeNext(position);
    } else {
      for (const change of stateChanges(facts, position)) this.#state.apply(change);
      this.#decisions.add(position);
    }
    const { isBilled, account, type } = this.#state;
    const changes: BilledChange[] = [];
    const { open } = rows;
    if (open !== undefined) {
      if (isBilled && open.account === account && open.type === type) return;
      changes.push(...rows.closeOpen(at, position));
    }
    if (isBilled) {
      const span = { from: at, to: OPEN, account, type, openedBy: position, closedBy: OPEN };
      changes.push(rows.push(span, position));
    }
    this.#lastChange = changes;
  }

  /** Returns the decisions of the active facts before a position. Later updates keep them up to date. */
  #decisionsBefore(facts: FactTable, position: Position): ClusterDecisions {
    if (this.#decisions === undefined) {
      const last = facts.previousAt(position);
      this.#decisions = new ClusterDecisions(facts, knownPositions(facts, last, last));
      this.#inOrder = undefined;
    }
    return this.#decisions;
  }

  /** Applies a late fact or a void, of which the decisions have been edited. */
  #takeEdit(edit: Edit | undefined, position: Position): void {
    if (edit === undefined) return;
    const decisions = this.#decisions as ClusterDecisions;
    if (this.#rows !== undefined && decisions.countBetween(edit) <= this.#maxReswept) {
      this.#resweep(edit, position, this.#rows, decisions);
    } else {
      this.#rows = undefined;
      this.#lastChange = edit;
    }
  }

  /** Computes the intervals again between two instants, both included, as known from a position on. */
  #resweep(reach: Edit, position: Position, rows: BilledRows, decisions: ClusterDecisions): void {
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
    this.#lastChange = rows.replace(touched, spans, position);
    this.#state = decisions.stateBefore(OPEN);
    this.#latest = decisions.latest;
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
