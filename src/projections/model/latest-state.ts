import { type BillingState, STOPS, type StateChange } from '../../domain/billing/sweep.ts';
import { CAUSES, type Cause } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import { stateChanges } from './cluster-facts.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** The state of a cluster after all of its active facts, whenever they are effective. */
export interface LatestState {
  /** Whether any fact is active, whatever it says. The notices of the ledger itself do not count: they cannot be voided. */
  readonly hasActiveFacts: boolean;
  readonly isRegistered: boolean;
  readonly isDeleted: boolean;
  readonly isBillable: boolean;
  /** The account that owns the cluster; `undefined` if no fact says one. */
  readonly lastAccount: AccountNumber | undefined;
  /** Whether the latest observation says that the cluster is unreachable. */
  readonly isUnreachable: boolean;
  /** Returns the instant since which a cause stops billing; `undefined` if it does not. */
  stoppedSince(cause: Cause): Instant | undefined;
}

/**
 * The same, kept up to date fact by fact. It takes little memory, but only knows clusters of which each fact that decides the
 * billing is effective after all earlier ones, and none is voided: most clusters are like that.
 */
export class InOrderState implements LatestState {
  readonly #facts: FactTable;
  readonly #state: BillingState<AccountNumber>;
  #activeFacts = 0;
  /** Position of the latest observation; 0 for none. */
  #observation: Position = 0;
  /** By index of the cause, the position of the fact since which it stops billing; 0 if it does not. Absent until the first stop. */
  #stops: Position[] | undefined;

  /** @param state is changed by the facts. */
  constructor(facts: FactTable, state: BillingState<AccountNumber>) {
    this.#facts = facts;
    this.#state = state;
  }

  /** Takes a fact that decides nothing about the billing. */
  takeOther(position: Position): void {
    this.#count(position);
    const type = this.#facts.typeAt(position);
    const isObservation = type === 'ClusterUnreachable' || type === 'ClusterReachable';
    if (!isObservation) return;
    if (this.#observation === 0 || this.#facts.compare(this.#observation, position) < 0)
      this.#observation = position;
  }

  /** Takes a fact that is effective after all earlier ones that decide the billing. */
  takeNext(position: Position): void {
    this.#count(position);
    for (const change of stateChanges(this.#facts, position)) {
      if (change.cause !== undefined) this.#switch(change, change.cause);
      this.#state.apply(change);
    }
  }

  #count(position: Position): void {
    if (!this.#facts.isNotice(position)) this.#activeFacts++;
  }

  #switch({ kind, setBy }: StateChange<AccountNumber>, cause: number): void {
    this.#stops ??= CAUSES.map(() => 0);
    if (kind !== STOPS) this.#stops[cause] = 0;
    else if (this.#stops[cause] === 0) this.#stops[cause] = setBy;
  }

  get hasActiveFacts(): boolean {
    return this.#activeFacts > 0;
  }

  get isRegistered(): boolean {
    return this.#state.isRegistered;
  }

  get isDeleted(): boolean {
    return this.#state.isDeleted;
  }

  get isBillable(): boolean {
    return this.#state.isBillable;
  }

  get lastAccount(): AccountNumber | undefined {
    return this.#state.account;
  }

  get isUnreachable(): boolean {
    return this.#observation !== 0 && this.#facts.typeAt(this.#observation) === 'ClusterUnreachable';
  }

  stoppedSince(cause: Cause): Instant | undefined {
    const stop = this.#stops?.[CAUSES.indexOf(cause)] ?? 0;
    return stop === 0 ? undefined : this.#facts.effectiveAt(stop);
  }
}
