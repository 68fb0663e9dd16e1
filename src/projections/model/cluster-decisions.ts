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
import { CAUSES } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { FactTable } from './fact-table.ts';

/** The instants between which a fact may change the state of its cluster, both included. */
export interface Reach {
  readonly from: Instant;
  /** Infinite if no later fact decides the same thing. */
  readonly to: Instant;
}

/**
 * The active facts of one cluster that decide its billing, as positions in the log, sorted by effective time for each thing
 * that they decide. A late fact or a void is inserted between its neighbors. Its cost is logarithmic in the length of the
 * history, plus the size of the change.
 */
export class ClusterDecisions {
  readonly #facts: FactTable;
  readonly #registrations: number[] = [];
  readonly #deletions: number[] = [];
  readonly #accounts: number[] = [];
  readonly #types: number[] = [];
  readonly #billables: number[] = [];
  readonly #switches: readonly number[][] = CAUSES.map(() => []);

  constructor(facts: FactTable) {
    this.#facts = facts;
  }

  /** Adds an active fact. @returns the instants between which the state may differ afterwards. */
  add(position: Position): Reach {
    return this.#change(position, (decisions) => {
      decisions.splice(this.#indexOf(decisions, position), 0, position);
    });
  }

  /**
   * Removes a voided fact. Removing it again has no effect.
   * @returns the instants between which the state may differ afterwards.
   */
  remove(position: Position): Reach {
    return this.#change(position, (decisions) => {
      const index = this.#indexOf(decisions, position);
      if (decisions[index] === position) decisions.splice(index, 1);
    });
  }

  /** Adds many active facts at once, for a history that is built in one step. */
  addAll(positions: Iterable<number>): void {
    for (const position of positions)
      for (const decisions of this.#decidedBy(position)) decisions.push(position);
    const lists = [this.#registrations, this.#deletions, this.#accounts, this.#types, this.#billables];
    for (const decisions of [...lists, ...this.#switches]) decisions.sort((a, b) => this.#compare(a, b));
  }

  /** The latest instant at which an active fact is effective; negative infinity if there is none. */
  get latest(): Instant {
    const lists = [this.#registrations, this.#deletions, this.#accounts, this.#types, this.#billables];
    const last = [...lists, ...this.#switches].map((decisions) => this.#at(decisions, decisions.length - 1));
    return Math.max(Number.NEGATIVE_INFINITY, ...last.filter((at) => at !== Number.POSITIVE_INFINITY));
  }

  /** Returns the state of the cluster just before an instant. */
  stateBefore(at: Instant): BillingState<number> {
    const state = new BillingState<number>();
    if (this.#at(this.#registrations, 0) < at) state.apply(this.#registered());
    if (this.#at(this.#deletions, 0) < at) state.apply(this.#deleted());
    for (const [kind, decisions] of this.#attributes()) {
      const last = decisions[this.#firstFrom(decisions, at) - 1];
      if (last !== undefined) state.apply(this.#attribute(kind, last));
    }
    for (const [cause, decisions] of this.#switches.entries()) {
      const last = decisions[this.#firstFrom(decisions, at) - 1];
      if (last !== undefined) state.apply(this.#switch(cause, last));
    }
    return state;
  }

  /** Returns the changes of the state between two instants, both included, in the order in which they apply. */
  changesBetween({ from, to }: Reach): StateChange<number>[] {
    const changes: StateChange<number>[] = [];
    const isWithin = (at: Instant) => from <= at && at <= to && at !== Number.POSITIVE_INFINITY;
    if (isWithin(this.#at(this.#registrations, 0))) changes.push(this.#registered());
    if (isWithin(this.#at(this.#deletions, 0))) changes.push(this.#deleted());
    for (const [kind, decisions] of this.#attributes())
      for (const position of this.#lastOfEach(decisions, from, to))
        changes.push(this.#attribute(kind, position));
    for (const [cause, decisions] of this.#switches.entries())
      for (const position of this.#lastOfEach(decisions, from, to))
        changes.push(this.#switch(cause, position));
    return changes.sort(compareChanges);
  }

  #change(position: Position, edit: (decisions: number[]) => void): Reach {
    const at = this.#facts.effectiveAt(position);
    const [registered, deleted] = [this.#at(this.#registrations, 0), this.#at(this.#deletions, 0)];
    let to = at;
    for (const decisions of this.#decidedBy(position)) {
      edit(decisions);
      if (decisions === this.#registrations) to = Math.max(to, registered, this.#at(decisions, 0));
      else if (decisions === this.#deletions) to = Math.max(to, deleted, this.#at(decisions, 0));
      else to = Math.max(to, this.#at(decisions, this.#firstFrom(decisions, at + 1)));
    }
    return { from: at, to };
  }

  /** Returns the lists that contain a fact. */
  #decidedBy(position: Position): number[][] {
    const facts = this.#facts;
    switch (facts.typeAt(position)) {
      case 'ClusterDeleted':
        return [this.#deletions];
      case 'BillingStopped':
      case 'BillingResumed':
        return [this.#switches[CAUSES.indexOf(facts.causeAt(position) as never)] as number[]];
      default: {
        const lists = facts.typeAt(position) === 'ClusterRegistered' ? [this.#registrations] : [];
        if (facts.accountAt(position) !== undefined) lists.push(this.#accounts);
        if (facts.clusterTypeAt(position) !== undefined) lists.push(this.#types);
        if (facts.billableAt(position) !== undefined) lists.push(this.#billables);
        return lists;
      }
    }
  }

  #attributes() {
    return [
      [ACCOUNT, this.#accounts],
      [TYPE, this.#types],
      [BILLABLE, this.#billables],
    ] as const;
  }

  #registered(): StateChange<number> {
    const at = this.#at(this.#registrations, 0);
    const setBy = this.#registrations[this.#firstFrom(this.#registrations, at + 1) - 1] as number;
    return { at, setBy, kind: REGISTERED };
  }

  #deleted(): StateChange<number> {
    const at = this.#at(this.#deletions, 0);
    const setBy = this.#deletions[this.#firstFrom(this.#deletions, at + 1) - 1] as number;
    return { at, setBy, kind: DELETED };
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
  #at(decisions: readonly number[], index: number): Instant {
    const position = decisions[index];
    return position === undefined ? Number.POSITIVE_INFINITY : this.#facts.effectiveAt(position);
  }

  /** Returns the index of the first entry that is effective at an instant or later. */
  #firstFrom(decisions: readonly number[], at: Instant): number {
    let low = 0;
    let high = decisions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#facts.effectiveAt(decisions[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Yields the decisive entry of each instant between two, both included: the last entry of that instant. */
  *#lastOfEach(decisions: readonly number[], from: Instant, to: Instant): Generator<number> {
    for (let i = this.#firstFrom(decisions, from); i < decisions.length; i++) {
      const at = this.#at(decisions, i);
      if (at > to) return;
      if (this.#at(decisions, i + 1) !== at) yield decisions[i] as number;
    }
  }

  /** Returns the index of a fact, or the index at which to insert it. */
  #indexOf(decisions: readonly number[], position: Position): number {
    let low = 0;
    let high = decisions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(decisions[middle] as number, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Compares by effective time, then by kind (a stop comes after a resumption, because it wins), then by event id. */
  #compare(a: number, b: number): number {
    const facts = this.#facts;
    const isStop = (position: Position) => Number(facts.typeAt(position) === 'BillingStopped');
    return facts.effectiveAt(a) - facts.effectiveAt(b) || isStop(a) - isStop(b) || facts.ids.compare(a, b);
  }
}
