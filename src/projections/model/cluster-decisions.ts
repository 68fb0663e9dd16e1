import {
  ACCOUNT,
  BILLABLE,
  BillingState,
  compareChanges,
  DELETED,
  REGISTERED,
  RESUMES,
  STOPS,
  type StateChange,
  TYPE,
} from '../../domain/billing/sweep.ts';
import { CAUSES, type Cause } from '../../domain/facts/fact.ts';
import { SortedList } from '../../domain/sorted-list.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import { CauseSwitches } from './cause-switches.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** The instants between which a fact may change the state of its cluster, both included. */
export interface Reach {
  readonly from: Instant;
  /** Infinite if no later fact decides the same thing. */
  readonly to: Instant;
}

// Indexes of the lists of a cluster, by what their facts decide.
const REGISTRATIONS = 0;
const DELETIONS = 1;
const ACCOUNTS = 2;
const TYPES = 3;
const BILLABLES = 4;
const OBSERVATIONS = 5;

const ATTRIBUTES = [
  [ACCOUNT, ACCOUNTS],
  [TYPE, TYPES],
  [BILLABLE, BILLABLES],
] as const;

const NEVER = Number.POSITIVE_INFINITY;

/**
 * The active facts of one cluster, as positions in the log, sorted by effective time for each thing that they decide. A fact
 * or a void is inserted between its neighbors, and the state of the cluster is what the last fact of each list says. The cost
 * is logarithmic in the length of the history.
 */
export class ClusterDecisions {
  readonly #facts: FactTable;
  /** Absent while no fact decides the thing. */
  readonly #lists: (SortedList<Position> | undefined)[] = [];
  readonly #causes: (CauseSwitches | undefined)[] = [];
  /** Absent until the first void. */
  #voided: Set<Position> | undefined;
  #activeFacts = 0;

  /** @param active positions of the active facts so far, in any order. */
  constructor(facts: FactTable, active: readonly Position[] = []) {
    this.#facts = facts;
    this.#activeFacts = active.length;
    for (const [index, positions] of groupedByList(facts, active)) this.#list(index).addAll(positions);
    for (const [cause, positions] of groupedByCause(facts, active)) this.#cause(cause).addAll(positions);
  }

  /**
   * Adds an active fact.
   * @returns the instants between which the billing may differ afterwards; `undefined` if it is the same.
   */
  add(position: Position): Reach | undefined {
    this.#activeFacts++;
    return this.#change(position, true);
  }

  /** Removes a voided fact. Removing it again has no effect. @returns as `add` does. */
  remove(position: Position): Reach | undefined {
    this.#voided ??= new Set();
    if (this.#voided.has(position)) return undefined;
    this.#voided.add(position);
    this.#activeFacts--;
    return this.#change(position, false);
  }

  /** Whether any fact is active, whatever it says. */
  get hasActiveFacts(): boolean {
    return this.#activeFacts > 0;
  }

  get isRegistered(): boolean {
    return this.#listOf(REGISTRATIONS) !== undefined;
  }

  get isDeleted(): boolean {
    return this.#listOf(DELETIONS) !== undefined;
  }

  /** The account that owns the cluster after all facts; `undefined` if no fact says one. */
  get lastAccount(): AccountNumber | undefined {
    const last = this.#listOf(ACCOUNTS)?.at(-1);
    return last === undefined ? undefined : this.#facts.accountAt(last);
  }

  /** Whether the latest observation says that the cluster is unreachable. */
  get isUnreachable(): boolean {
    const last = this.#listOf(OBSERVATIONS)?.at(-1);
    return last !== undefined && this.#facts.typeAt(last) === 'ClusterUnreachable';
  }

  /** Returns the instant since which a cause stops billing after all facts; `undefined` if it does not. */
  stoppedSince(cause: Cause): Instant | undefined {
    return this.#causes[CAUSES.indexOf(cause)]?.stopsSince;
  }

  /** Whether the cluster is billable after all facts. */
  get isBillable(): boolean {
    const last = this.#listOf(BILLABLES)?.at(-1);
    return last === undefined || this.#facts.billableAt(last) !== false;
  }

  /** The latest instant at which an active fact decides the billing; negative infinity if there is none. */
  get latest(): Instant {
    let latest = Number.NEGATIVE_INFINITY;
    for (const list of this.#billingLists()) latest = Math.max(latest, this.#at(list, list.length - 1));
    return latest;
  }

  /** Returns the state of the cluster just before an instant. */
  stateBefore(at: Instant): BillingState<number> {
    const state = new BillingState<number>();
    if (this.#first(REGISTRATIONS) < at) state.apply(this.#extreme(REGISTRATIONS, REGISTERED));
    if (this.#first(DELETIONS) < at) state.apply(this.#extreme(DELETIONS, DELETED));
    for (const [kind, index] of ATTRIBUTES) {
      const last = this.#lastBefore(this.#lists[index], at);
      if (last !== undefined) state.apply(this.#attribute(kind, last));
    }
    for (const [cause, switches] of this.#causes.entries()) {
      const last = this.#lastBefore(switches?.decisions, at);
      if (last !== undefined) state.apply(this.#switch(cause, last));
    }
    return state;
  }

  /** Returns the changes of the state between two instants, both included, in the order in which they apply. */
  changesBetween({ from, to }: Reach): StateChange<number>[] {
    const changes: StateChange<number>[] = [];
    const isWithin = (at: Instant) => from <= at && at <= to && at !== NEVER;
    if (isWithin(this.#first(REGISTRATIONS))) changes.push(this.#extreme(REGISTRATIONS, REGISTERED));
    if (isWithin(this.#first(DELETIONS))) changes.push(this.#extreme(DELETIONS, DELETED));
    for (const [kind, index] of ATTRIBUTES)
      for (const position of this.#lastOfEach(this.#lists[index], from, to))
        changes.push(this.#attribute(kind, position));
    for (const [cause, switches] of this.#causes.entries())
      for (const position of this.#lastOfEach(switches?.decisions, from, to))
        changes.push(this.#switch(cause, position));
    return changes.sort(compareChanges);
  }

  #change(position: Position, isAdded: boolean): Reach | undefined {
    let to = Number.NEGATIVE_INFINITY;
    const cause = causeOf(this.#facts, position);
    if (cause !== undefined) to = this.#editCause(cause, position, isAdded);
    for (const index of listsOf(this.#facts, position)) {
      if (index === OBSERVATIONS) this.#edit(index, position, isAdded);
      else if (index === REGISTRATIONS || index === DELETIONS)
        to = Math.max(to, this.#editFirst(index, position, isAdded));
      else to = Math.max(to, this.#editAttribute(index, position, isAdded));
    }
    return to === Number.NEGATIVE_INFINITY ? undefined : { from: this.#facts.effectiveAt(position), to };
  }

  #list(index: number): SortedList<Position> {
    let list = this.#lists[index];
    if (list === undefined) {
      list = new SortedList(this.#facts.compare);
      this.#lists[index] = list;
    }
    return list;
  }

  #cause(cause: number): CauseSwitches {
    let switches = this.#causes[cause];
    if (switches === undefined) {
      switches = new CauseSwitches(this.#facts);
      this.#causes[cause] = switches;
    }
    return switches;
  }

  #edit(index: number, position: Position, isAdded: boolean): void {
    if (isAdded) this.#list(index).add(position);
    else this.#list(index).remove(position);
  }

  /** Edits a list of which the first fact decides. @returns the last instant whose state may differ afterwards. */
  #editFirst(index: number, position: Position, isAdded: boolean): Instant {
    const was = this.#first(index);
    this.#edit(index, position, isAdded);
    return Math.max(this.#facts.effectiveAt(position), was, this.#first(index));
  }

  /** Edits a list of which the last fact by then decides. @returns the last instant whose state may differ afterwards. */
  #editAttribute(index: number, position: Position, isAdded: boolean): Instant {
    const facts = this.#facts;
    const at = facts.effectiveAt(position);
    const value = () => {
      const last = this.#lastBefore(this.#lists[index], at + 1);
      if (index === BILLABLES) return last === undefined ? true : facts.billableAt(last);
      if (last === undefined) return undefined;
      return index === ACCOUNTS ? facts.accountAt(last) : facts.clusterTypeAt(last);
    };
    const was = value();
    this.#edit(index, position, isAdded);
    return value() === was ? at : this.#nextAfter(this.#lists[index], at);
  }

  #editCause(cause: number, position: Position, isAdded: boolean): Instant {
    const switches = this.#cause(cause);
    const at = this.#facts.effectiveAt(position);
    const stops = () => {
      const last = this.#lastBefore(switches.decisions, at + 1);
      return last !== undefined && this.#facts.typeAt(last) === 'BillingStopped';
    };
    const was = stops();
    if (isAdded) switches.add(position);
    else switches.remove(position);
    return stops() === was ? at : this.#nextAfter(switches.decisions, at);
  }

  /** Returns a list; `undefined` if no active fact is in it. */
  #listOf(index: number): SortedList<Position> | undefined {
    const list = this.#lists[index];
    return list === undefined || list.length === 0 ? undefined : list;
  }

  *#billingLists(): Generator<SortedList<Position>> {
    for (const [index, list] of this.#lists.entries())
      if (index !== OBSERVATIONS && list !== undefined && list.length > 0) yield list;
    for (const cause of this.#causes)
      if (cause !== undefined && cause.decisions.length > 0) yield cause.decisions;
  }

  /** Returns the change by the first instant of a list. Of equal ones the fact with the greatest event id decides. */
  #extreme(index: number, kind: number): StateChange<number> {
    const list = this.#lists[index] as SortedList<Position>;
    const at = this.#at(list, 0);
    return { at, setBy: this.#lastBefore(list, at + 1) as Position, kind };
  }

  #attribute(kind: number, position: Position): StateChange<number> {
    const facts = this.#facts;
    const change = { at: facts.effectiveAt(position), setBy: position, kind };
    if (kind === BILLABLE) return { ...change, billable: facts.billableAt(position) as boolean };
    const id = kind === ACCOUNT ? facts.accountAt(position) : facts.clusterTypeAt(position);
    return { ...change, id: id as number };
  }

  #switch(cause: number, position: Position): StateChange<number> {
    const kind = this.#facts.typeAt(position) === 'BillingStopped' ? STOPS : RESUMES;
    return { at: this.#facts.effectiveAt(position), setBy: position, kind, cause };
  }

  /** Returns the effective time of an entry; infinite past the end. */
  #at(list: SortedList<Position> | undefined, index: number): Instant {
    const position = list?.at(index);
    return position === undefined ? NEVER : this.#facts.effectiveAt(position);
  }

  #first(index: number): Instant {
    return this.#at(this.#lists[index], 0);
  }

  /** Returns the last entry that is effective before an instant. */
  #lastBefore(list: SortedList<Position> | undefined, at: Instant): Position | undefined {
    const behind = list?.firstIndex((position) => this.#facts.effectiveAt(position) >= at) ?? 0;
    return behind === 0 ? undefined : list?.at(behind - 1);
  }

  /** Returns the first instant after another at which an entry is effective; infinite if there is none. */
  #nextAfter(list: SortedList<Position> | undefined, at: Instant): Instant {
    return this.#at(list, list?.firstIndex((position) => this.#facts.effectiveAt(position) > at) ?? 0);
  }

  /** Yields the decisive entry of each instant between two, both included: the last entry of that instant. */
  *#lastOfEach(list: SortedList<Position> | undefined, from: Instant, to: Instant): Generator<Position> {
    if (list === undefined) return;
    for (
      let i = list.firstIndex((position) => this.#facts.effectiveAt(position) >= from);
      i < list.length;
      i++
    ) {
      const at = this.#at(list, i);
      if (at > to) return;
      if (this.#at(list, i + 1) !== at) yield list.at(i) as Position;
    }
  }
}

/** Returns the index of the cause that a fact stops or resumes; `undefined` if it does neither. */
function causeOf(facts: FactTable, position: Position): number | undefined {
  const type = facts.typeAt(position);
  if ((type !== 'BillingStopped' && type !== 'BillingResumed') || !facts.decidesBilling(position))
    return undefined;
  return CAUSES.indexOf(facts.causeAt(position) as Cause);
}

/** Returns the indexes of the lists that have a fact while it is active. */
function listsOf(facts: FactTable, position: Position): number[] {
  switch (facts.typeAt(position)) {
    case 'ClusterUnreachable':
    case 'ClusterReachable':
      return [OBSERVATIONS];
    case 'ClusterDeleted':
      return [DELETIONS];
    case 'ClusterRegistered':
    case 'ClusterChanged': {
      const lists = facts.typeAt(position) === 'ClusterRegistered' ? [REGISTRATIONS] : [];
      if (facts.accountAt(position) !== undefined) lists.push(ACCOUNTS);
      if (facts.clusterTypeAt(position) !== undefined) lists.push(TYPES);
      if (facts.billableAt(position) !== undefined) lists.push(BILLABLES);
      return lists;
    }
    default:
      return [];
  }
}

function groupedByList(facts: FactTable, positions: readonly Position[]): Map<number, Position[]> {
  const grouped = new Map<number, Position[]>();
  for (const position of positions)
    for (const index of listsOf(facts, position)) addTo(grouped, index, position);
  return grouped;
}

function groupedByCause(facts: FactTable, positions: readonly Position[]): Map<number, Position[]> {
  const grouped = new Map<number, Position[]>();
  for (const position of positions) {
    const cause = causeOf(facts, position);
    if (cause !== undefined) addTo(grouped, cause, position);
  }
  return grouped;
}

function addTo(grouped: Map<number, Position[]>, key: number, position: Position): void {
  const group = grouped.get(key);
  if (group === undefined) grouped.set(key, [position]);
  else group.push(position);
}
