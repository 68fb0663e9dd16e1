import { type BilledInterval, firstChange } from '../../domain/billing/statement.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { BilledChange } from './billed-rows.ts';
import type { ClusterDecisions, Edit } from './cluster-decisions.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** How the billing of a cluster differs between two states. `Id` names accounts. */
export interface BillingDifference<Id = AccountNumber> {
  /** The accounts that may be billed differently. */
  readonly accounts: Iterable<Id>;
  /** Returns the first instant within a window at which an account is billed differently; `undefined` if there is none. */
  first(account: Id, within: Window): Instant | undefined;
}

/** The difference between two lists of billed intervals, each in order. */
export class DifferentIntervals<Id> implements BillingDifference<Id> {
  readonly #before: readonly BilledInterval<Id>[];
  readonly #after: readonly BilledInterval<Id>[];

  constructor(before: readonly BilledInterval<Id>[], after: readonly BilledInterval<Id>[]) {
    this.#before = before;
    this.#after = after;
  }

  get accounts(): Set<Id> {
    return new Set([...this.#before, ...this.#after].map(({ accountId }) => accountId));
  }

  first(account: Id, within: Window): Instant | undefined {
    return firstChange(partOf(this.#before, account, within), partOf(this.#after, account, within));
  }
}

/** Returns the intervals of an account, cut at the ends of a window. */
function partOf<Id>(intervals: readonly BilledInterval<Id>[], account: Id, { from, to }: Window) {
  return intervals
    .filter((interval) => interval.accountId === account)
    .map((interval) => ({
      ...interval,
      from: Math.max(interval.from, from),
      to: Math.min(interval.to ?? Number.POSITIVE_INFINITY, to),
    }))
    .filter((interval) => interval.from < interval.to);
}

/** Returns the difference that changed rows make. */
export function differenceOf(changes: readonly BilledChange[]): BillingDifference {
  const intervals = (sign: BilledChange['sign']) =>
    changes
      .filter((change) => change.sign === sign)
      .sort((a, b) => a.from - b.from)
      .map(({ from, to, account, type }) => ({ from, to, accountId: account, clusterType: type }));
  return new DifferentIntervals(intervals(-1), intervals(1));
}

/** The difference that an edit of the decisions of a cluster makes, computed without its intervals. It holds until the next edit. */
export class EditDifference implements BillingDifference {
  readonly #decisions: ClusterDecisions;
  readonly #edit: Edit;

  constructor(decisions: ClusterDecisions, edit: Edit) {
    this.#decisions = decisions;
    this.#edit = edit;
  }

  get accounts(): Set<AccountNumber> {
    return this.#decisions.accountsOf(this.#edit);
  }

  first(account: AccountNumber, within: Window): Instant | undefined {
    return this.#decisions.firstDifference(this.#edit, account, within);
  }
}
