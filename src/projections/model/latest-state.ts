import { BillingState, STOPS } from '../../domain/billing/sweep.ts';
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
 * The state of a cluster of which each fact that decides the billing is effective after all earlier ones, and none is voided:
 * most clusters are like that. It is kept up to date fact by fact and takes little memory.
 */
export class InOrderState extends BillingState<AccountNumber> {
  #hasActiveFacts = false;
  /** Position of the latest observation; 0 for none. */
  #observation: Position = 0;
  /** By index of the cause, the position of the fact since which it stops billing; 0 if it does not. Absent while none does. */
  #stops: Position[] | undefined;

  /** Takes a fact that decides nothing about the billing. */
  takeOther(facts: FactTable, position: Position): void {
    this.#hasActiveFacts ||= !facts.isNotice(position);
    const type = facts.typeAt(position);
    const isObservation = type === 'ClusterUnreachable' || type === 'ClusterReachable';
    if (!isObservation) return;
    if (this.#observation === 0 || facts.compare(this.#observation, position) < 0)
      this.#observation = position;
  }

  /** Takes a fact that is effective after all earlier ones that decide the billing. */
  takeNext(facts: FactTable, position: Position): void {
    this.#hasActiveFacts ||= !facts.isNotice(position);
    for (const change of stateChanges(facts, position)) {
      const { kind, cause } = change;
      const isDifferent = this.apply(change);
      if (cause === undefined || !isDifferent) continue;
      this.#stops ??= CAUSES.map(() => 0);
      this.#stops[cause] = kind === STOPS ? position : 0;
      if (!this.isStopped) this.#stops = undefined;
    }
  }

  /** Returns the state after the facts that were taken. */
  latest(facts: FactTable): LatestState {
    const [observation, stops] = [this.#observation, this.#stops];
    return {
      hasActiveFacts: this.#hasActiveFacts,
      isRegistered: this.isRegistered,
      isDeleted: this.isDeleted,
      isBillable: this.isBillable,
      lastAccount: this.account,
      isUnreachable: observation !== 0 && facts.typeAt(observation) === 'ClusterUnreachable',
      stoppedSince(cause) {
        const stop = stops?.[CAUSES.indexOf(cause)] ?? 0;
        return stop === 0 ? undefined : facts.effectiveAt(stop);
      },
    };
  }
}
