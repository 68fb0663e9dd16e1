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
import type { Instant, Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { BilledAt } from './billed-rows.ts';
import type { KnownPositions } from './cluster-facts.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';
import type { LatestState } from './latest-state.ts';
import { StopSwitches } from './stop-switches.ts';

// The things that the facts of a cluster decide: first those of the sorted lists, then the reasons not to bill.
const REGISTRATIONS = 0;
const DELETIONS = 1;
const ACCOUNTS = 2;
const TYPES = 3;
const OBSERVATIONS = 4;
const FIRST_REASON = 5;
/** The reasons are the causes in their order, and that the cluster is not billable. */
const NOT_BILLABLE = CAUSES.length;

const ATTRIBUTES = [
  [ACCOUNT, ACCOUNTS],
  [TYPE, TYPES],
] as const;

const NEVER = Number.POSITIVE_INFINITY;

/** The value of a thing before a fact or a void, from the instant of the fact until another one. */
interface Former {
  readonly thing: number;
  /** The number of an account or type, whether a reason stopped billing, or whether the cluster was registered or deleted. */
  readonly value: number | boolean | undefined;
  readonly until: Instant;
}

/** The change that a fact or a void makes: to the state of its cluster between two instants, both included. */
export interface Edit {
  readonly from: Instant;
  /** Infinite if no later fact decides the same thing. */
  readonly to: Instant;
  /** The things that are different from `from` on. If there are none, only the facts that set them may be. */
  readonly formers: readonly Former[];
}

/**
 * The active facts of one cluster, as positions in the log, sorted by effective time for each thing that they decide. A fact
 * or a void is inserted between its neighbors, and the state of the cluster is what the last fact of each list says. The cost
 * is logarithmic in the length of the history.
 */
export class ClusterDecisions implements LatestState {
  readonly #facts: FactTable;
  /** Absent while no fact decides the thing. */
  readonly #lists: (SortedList<Position> | undefined)[] = [];
  /** By reason; absent while no fact decides it. */
  readonly #switches: (StopSwitches | undefined)[] = [];
  /** How many facts name each account. */
  readonly #accounts = new Map<AccountNumber, number>();
  /** Absent until the first void. */
  #voided: Set<Position> | undefined;
  #activeFacts: number;

  /** @param known the facts so far. */
  constructor(facts: FactTable, { active, voided }: KnownPositions) {
    this.#facts = facts;
    this.#voided = voided;
    this.#activeFacts = active.filter((position) => !facts.isNotice(position)).length;
    for (const [thing, positions] of groupedByThing(facts, active)) {
      if (thing < FIRST_REASON) this.#list(thing).addAll(positions);
      else this.#reason(thing).addAll(positions);
      if (thing === ACCOUNTS) for (const position of positions) this.#countAccount(position, 1);
    }
  }

  /**
   * Adds an active fact.
   * @returns what differs afterwards; `undefined` if the billing is the same.
   */
  add(position: Position): Edit | undefined {
    if (!this.#facts.isNotice(position)) this.#activeFacts++;
    return this.#change(position, true);
  }

  /** Removes a voided fact. Removing it again has no effect. @returns as `add` does. */
  remove(position: Position): Edit | undefined {
    this.#voided ??= new Set();
    if (this.#voided.has(position)) return undefined;
    this.#voided.add(position);
    if (!this.#facts.isNotice(position)) this.#activeFacts--;
    return this.#change(position, false);
  }

  get hasActiveFacts(): boolean {
    return this.#activeFacts > 0;
  }

  get isRegistered(): boolean {
    return this.#listOf(REGISTRATIONS) !== undefined;
  }

  get isDeleted(): boolean {
    return this.#listOf(DELETIONS) !== undefined;
  }

  get lastAccount(): AccountNumber | undefined {
    const last = this.#listOf(ACCOUNTS)?.at(-1);
    return last === undefined ? undefined : this.#facts.accountAt(last);
  }

  get isUnreachable(): boolean {
    const last = this.#listOf(OBSERVATIONS)?.at(-1);
    return last !== undefined && this.#facts.typeAt(last) === 'ClusterUnreachable';
  }

  stoppedSince(cause: Cause): Instant | undefined {
    return this.#switches[CAUSES.indexOf(cause)]?.stopsSince;
  }

  get isBillable(): boolean {
    return this.#switches[NOT_BILLABLE]?.stopsSince === undefined;
  }

  /** Position of an active fact that is effective after all others that decide the billing, or with them; 0 if there is none. */
  get latest(): Position {
    let latest: Position = 0;
    for (const list of this.#billingLists) {
      const last = list.at(-1) ?? 0;
      if (latest === 0 || this.#facts.effectiveAt(last) > this.#facts.effectiveAt(latest)) latest = last;
    }
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
    for (const [reason, switches] of this.#switches.entries()) {
      const last = this.#lastBefore(switches?.decisions, at);
      if (last !== undefined) state.apply(this.#switch(reason, last));
    }
    return state;
  }

  /** Returns the changes of the state between two instants, both included, in the order in which they apply. */
  changesBetween({ from, to }: Pick<Edit, 'from' | 'to'>): StateChange<number>[] {
    const changes: StateChange<number>[] = [];
    const isWithin = (at: Instant) => from <= at && at <= to && at !== NEVER;
    if (isWithin(this.#first(REGISTRATIONS))) changes.push(this.#extreme(REGISTRATIONS, REGISTERED));
    if (isWithin(this.#first(DELETIONS))) changes.push(this.#extreme(DELETIONS, DELETED));
    for (const [kind, index] of ATTRIBUTES)
      for (const position of this.#lastOfEach(this.#lists[index], from, to))
        changes.push(this.#attribute(kind, position));
    for (const [reason, switches] of this.#switches.entries())
      for (const position of this.#lastOfEach(switches?.decisions, from, to))
        changes.push(this.#switch(reason, position));
    return changes.sort(compareChanges);
  }

  /** Returns how many facts decide the billing between two instants, both included. */
  countBetween({ from, to }: Pick<Edit, 'from' | 'to'>): number {
    let count = 0;
    for (const list of this.#billingLists) {
      const first = list.firstIndex((position) => this.#facts.effectiveAt(position) >= from);
      count += list.firstIndex((position) => this.#facts.effectiveAt(position) > to) - first;
    }
    return count;
  }

  /** Returns as what the cluster is billed at an instant. */
  billedAt(at: Instant): BilledAt {
    const { isBilled, account, type } = this.stateBefore(at + 1);
    let nextEdge = NEVER;
    for (const list of this.#billingLists) nextEdge = Math.min(nextEdge, this.#nextAfter(list, at));
    return { billed: isBilled ? { account, type } : undefined, nextEdge };
  }

  /** Returns the accounts that may be billed differently since an edit. */
  accountsOf({ formers }: Edit): Set<AccountNumber> {
    const accounts = new Set(this.#accounts.keys());
    for (const { thing, value } of formers)
      if (thing === ACCOUNTS && typeof value === 'number') accounts.add(value);
    return accounts;
  }

  /**
   * Returns the first instant within a window at which the account is billed differently since an edit, which must be the last
   * one. Time in which the cluster is not billed before and after is skipped, so that the cost does not depend on the number of
   * intervals that differ.
   */
  firstDifference({ from, to, formers }: Edit, account: AccountNumber, within: Window): Instant | undefined {
    const end = Math.min(to, within.to);
    for (let at = Math.max(from, within.from); at < end; ) {
      const former = new Map<number, Former['value']>();
      let next = this.#nextAfter(this.#lists[ACCOUNTS], at);
      for (const { thing, value, until } of formers) {
        if (at >= until) continue;
        former.set(thing, value);
        next = Math.min(next, until);
      }
      if (former.size === 0) return undefined;
      const unstopped = this.#unstoppedFrom(at, former);
      if (unstopped > at) {
        at = unstopped;
        continue;
      }
      if (this.#typeFor(account, at, former) !== this.#typeFor(account, at, NOTHING_FORMER)) return at;
      at = next;
    }
    return undefined;
  }

  /** Returns an instant from another on before which billing is certainly stopped by a thing that an edit has not changed. */
  #unstoppedFrom(at: Instant, former: ReadonlyMap<number, Former['value']>): Instant {
    let unstopped = at;
    if (!former.has(REGISTRATIONS)) unstopped = Math.max(unstopped, this.#first(REGISTRATIONS));
    if (!former.has(DELETIONS) && this.#first(DELETIONS) <= at) return NEVER;
    for (const [reason, switches] of this.#switches.entries())
      if (switches !== undefined && !former.has(FIRST_REASON + reason))
        unstopped = Math.max(unstopped, switches.resumesFrom(at));
    return unstopped;
  }

  /** Returns the type as which the account is billed at an instant; `undefined` if it is not. */
  #typeFor(
    account: AccountNumber,
    at: Instant,
    former: ReadonlyMap<number, Former['value']>,
  ): number | null | undefined {
    const valueFor = (thing: number) => (former.has(thing) ? former.get(thing) : this.#valueAt(thing, at));
    if (valueFor(ACCOUNTS) !== account || valueFor(REGISTRATIONS) !== true || valueFor(DELETIONS) === true)
      return undefined;
    for (const reason of this.#switches.keys())
      if (valueFor(FIRST_REASON + reason) === true) return undefined;
    return (valueFor(TYPES) as number | undefined) ?? null;
  }

  /** Returns what a thing is at an instant. */
  #valueAt(thing: number, at: Instant): Former['value'] {
    if (thing >= FIRST_REASON) return this.#switches[thing - FIRST_REASON]?.stopsAt(at) ?? false;
    if (thing === REGISTRATIONS || thing === DELETIONS) return this.#first(thing) <= at;
    const last = this.#lastBefore(this.#lists[thing], at + 1);
    if (last === undefined) return undefined;
    return thing === ACCOUNTS ? this.#facts.accountAt(last) : this.#facts.clusterTypeAt(last);
  }

  #change(position: Position, isAdded: boolean): Edit | undefined {
    const from = this.#facts.effectiveAt(position);
    let to = Number.NEGATIVE_INFINITY;
    const formers: Former[] = [];
    for (const thing of thingsOf(this.#facts, position)) {
      if (thing === OBSERVATIONS) {
        this.#edit(thing, position, isAdded);
        continue;
      }
      const [value, first] = [this.#valueAt(thing, from), this.#first(thing)];
      this.#edit(thing, position, isAdded);
      let until = from;
      if (this.#valueAt(thing, from) !== value) {
        until = this.#endOf(thing, from, first);
        formers.push({ thing, value, until });
      }
      to = Math.max(to, until);
    }
    return to === Number.NEGATIVE_INFINITY ? undefined : { from, to, formers };
  }

  /** Returns the instant from which on a thing is the same after an edit. @param first the first of its facts before the edit. */
  #endOf(thing: number, from: Instant, first: Instant): Instant {
    if (thing === REGISTRATIONS || thing === DELETIONS) return Math.max(first, this.#first(thing));
    const list = thing < FIRST_REASON ? this.#lists[thing] : this.#switches[thing - FIRST_REASON]?.decisions;
    return this.#nextAfter(list, from);
  }

  #list(index: number): SortedList<Position> {
    let list = this.#lists[index];
    if (list === undefined) {
      list = new SortedList(this.#facts.compare);
      this.#lists[index] = list;
    }
    return list;
  }

  #reason(thing: number): StopSwitches {
    const reason = thing - FIRST_REASON;
    let switches = this.#switches[reason];
    if (switches === undefined) {
      const facts = this.#facts;
      switches =
        reason === NOT_BILLABLE
          ? new StopSwitches(facts, (position) => facts.billableAt(position) === false)
          : new StopSwitches(facts, (position) => facts.typeAt(position) === 'BillingStopped');
      this.#switches[reason] = switches;
    }
    return switches;
  }

  #edit(thing: number, position: Position, isAdded: boolean): void {
    const list = thing < FIRST_REASON ? this.#list(thing) : this.#reason(thing);
    if (isAdded) list.add(position);
    else list.remove(position);
    if (thing === ACCOUNTS) this.#countAccount(position, isAdded ? 1 : -1);
  }

  #countAccount(position: Position, difference: 1 | -1): void {
    const account = this.#facts.accountAt(position) as AccountNumber;
    const count = (this.#accounts.get(account) ?? 0) + difference;
    if (count === 0) this.#accounts.delete(account);
    else this.#accounts.set(account, count);
  }

  /** Returns a list; `undefined` if no active fact is in it. */
  #listOf(index: number): SortedList<Position> | undefined {
    const list = this.#lists[index];
    return list === undefined || list.length === 0 ? undefined : list;
  }

  /** The lists of facts that decide the billing. */
  get #billingLists(): SortedList<Position>[] {
    const lists: SortedList<Position>[] = [];
    for (const [thing, list] of this.#lists.entries())
      if (thing !== OBSERVATIONS && list !== undefined) lists.push(list);
    for (const switches of this.#switches) if (switches !== undefined) lists.push(switches.decisions);
    return lists;
  }

  /** Returns the change by the first instant of a list. Of equal ones the fact with the greatest event id decides. */
  #extreme(index: number, kind: number): StateChange<number> {
    const list = this.#lists[index] as SortedList<Position>;
    const at = this.#at(list, 0);
    return { at, setBy: this.#lastBefore(list, at + 1) as Position, kind };
  }

  #attribute(kind: number, position: Position): StateChange<number> {
    const facts = this.#facts;
    const id = kind === ACCOUNT ? facts.accountAt(position) : facts.clusterTypeAt(position);
    return { at: facts.effectiveAt(position), setBy: position, kind, id: id as number };
  }

  #switch(reason: number, position: Position): StateChange<number> {
    const facts = this.#facts;
    const change = { at: facts.effectiveAt(position), setBy: position };
    if (reason === NOT_BILLABLE)
      return { ...change, kind: BILLABLE, billable: facts.billableAt(position) as boolean };
    return {
      ...change,
      kind: facts.typeAt(position) === 'BillingStopped' ? STOPS : RESUMES,
      cause: reason,
    };
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

const NOTHING_FORMER: ReadonlyMap<number, Former['value']> = new Map();

/** Returns the things that a fact decides while it is active. */
function thingsOf(facts: FactTable, position: Position): number[] {
  const type = facts.typeAt(position);
  switch (type) {
    case 'ClusterUnreachable':
    case 'ClusterReachable':
      return [OBSERVATIONS];
    case 'ClusterDeleted':
      return [DELETIONS];
    case 'ClusterRegistered':
    case 'ClusterChanged': {
      const things = type === 'ClusterRegistered' ? [REGISTRATIONS] : [];
      if (facts.accountAt(position) !== undefined) things.push(ACCOUNTS);
      if (facts.clusterTypeAt(position) !== undefined) things.push(TYPES);
      if (facts.billableAt(position) !== undefined) things.push(FIRST_REASON + NOT_BILLABLE);
      return things;
    }
    case 'BillingStopped':
    case 'BillingResumed':
      // The notice that comes with a deletion decides nothing.
      return facts.decidesBilling(position)
        ? [FIRST_REASON + CAUSES.indexOf(facts.causeAt(position) as Cause)]
        : [];
    default:
      return [];
  }
}

function groupedByThing(facts: FactTable, positions: readonly Position[]): Map<number, Position[]> {
  const grouped = new Map<number, Position[]>();
  for (const position of positions)
    for (const thing of thingsOf(facts, position)) {
      const group = grouped.get(thing);
      if (group === undefined) grouped.set(thing, [position]);
      else group.push(position);
    }
  return grouped;
}
