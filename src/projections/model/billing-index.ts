import {
  type BillingFact,
  billActiveFacts,
  type ClusterBilling,
  type Interval,
} from '../../domain/billing/billing.ts';
import { type TypeUsage, typesInOrder, typeUsage, type Usage } from '../../domain/billing/usage-meter.ts';
import type { KnownFact } from '../../domain/facts/fact.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import { BillHistory, type HistoryChange } from './bill-history.ts';
import type { IntervalMeter } from './billed-rows.ts';
import type { BillingDifference } from './billing-difference.ts';
import { activeFacts, type Names } from './cluster-facts.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import type { LatestState } from './latest-state.ts';
import type { NumericColumn } from './numeric-column.ts';
import type { StringInterner } from './string-interner.ts';

/** Parts of the model from which billing is computed. */
interface Sources {
  readonly facts: FactTable;
  readonly accounts: StringInterner<AccountNumber>;
  readonly clusterTypes: StringInterner<number>;
  /** Position of the last fact of each cluster, by number. */
  readonly last: Pick<NumericColumn<Uint32Array, Position>, 'at'>;
}

/** Number of clusters after which measuring may be paused. */
const PAUSE_EVERY = 100;

/**
 * Billing of every cluster as known at any position. It is computed from the facts on the first request and cached until the
 * next fact of the cluster.
 */
export class BillingIndex {
  readonly #sources: Sources;
  readonly #names: Names;
  readonly #bills = new Map<ClusterNumber, ClusterBilling>();
  readonly #histories: (BillHistory | undefined)[] = [];
  /** The history that was extended last, the only one of which the last change is known. */
  #lastChanged: BillHistory | undefined;
  #lastChange: HistoryChange = [];

  constructor(sources: Sources) {
    this.#sources = sources;
    const { accounts, clusterTypes } = sources;
    this.#names = {
      accountId: (account) => accounts.text(account),
      clusterType: (type) => clusterTypes.text(type),
    };
  }

  /** Discards the cached billing of a cluster, because it has a new fact. */
  invalidate(cluster: ClusterNumber): void {
    this.#bills.delete(cluster);
  }

  /** Returns the active facts of a cluster as known at a position, in no particular order. */
  activeFacts(cluster: ClusterNumber, asOf: Position): KnownFact<BillingFact>[] {
    return activeFacts(this.#sources.facts, this.#last(cluster), asOf, this.#names);
  }

  /** Returns the billing of a cluster as known at a position, folded from its facts. */
  billing(cluster: ClusterNumber, asOf: Position): ClusterBilling {
    if (this.#last(cluster) > asOf) return billActiveFacts(this.activeFacts(cluster, asOf));
    let billing = this.#bills.get(cluster);
    if (billing === undefined) {
      billing = billActiveFacts(this.activeFacts(cluster, asOf));
      this.#bills.set(cluster, billing);
    }
    return billing;
  }

  /** Returns the billed intervals of a cluster as known at a position, in order. */
  intervals(cluster: ClusterNumber, asOf: Position): readonly Interval[] {
    const history = this.#history(cluster);
    if (!history.remembers(asOf)) return this.billing(cluster, asOf).intervals;
    return history.spans(asOf).map(({ account, type, ...span }) => ({
      ...span,
      accountId: this.#names.accountId(account),
      clusterType: this.#typeText(type),
    }));
  }

  /**
   * Measures what an account is billed for some clusters, as known at a position. The caller may pause where it yields.
   * @param meter takes the billed intervals of one cluster after the other, in any order within the cluster.
   * @param counted the window; billed time outside of it is left out, if that saves time.
   */
  *measure(
    meter: IntervalMeter,
    account: AccountNumber,
    clusters: readonly ClusterNumber[],
    asOf: Position,
    counted: Window,
  ): Generator<undefined, void> {
    for (const [i, cluster] of clusters.entries()) {
      const history = this.#history(cluster);
      if (history.remembers(asOf)) history.measure(meter, account, asOf, counted);
      else this.#measureFolded(meter, account, cluster, asOf);
      meter.endCluster();
      if (i % PAUSE_EVERY === PAUSE_EVERY - 1) yield undefined;
    }
  }

  /** Names the types of usage, and returns it in order of the types. */
  byType(groups: readonly (readonly [type: number, usage: Usage])[]): TypeUsage[] {
    const [only] = groups;
    if (only !== undefined && groups.length === 1) return [typeUsage(this.#typeText(only[0]), only[1])];
    return typesInOrder(groups.map(([type, usage]) => [this.#typeText(type), usage] as const));
  }

  #measureFolded(meter: IntervalMeter, account: AccountNumber, cluster: ClusterNumber, asOf: Position): void {
    const accountId = this.#names.accountId(account);
    for (const { from, to, accountId: owner, clusterType } of this.billing(cluster, asOf).intervals) {
      if (owner !== accountId) continue;
      const type = clusterType === null ? -1 : (this.#sources.clusterTypes.find(clusterType) as number);
      meter.add(from, to ?? Number.POSITIVE_INFINITY, type);
    }
  }

  #typeText(type: number): string | null {
    return type === -1 ? null : this.#names.clusterType(type);
  }

  /** Returns an instant before which nothing of a cluster is billed differently at the two positions. */
  unchangedUntil(cluster: ClusterNumber, before: Position, after: Position): Instant {
    const history = this.#history(cluster);
    return history.remembers(before) ? history.unchangedUntil(before, after) : Number.NEGATIVE_INFINITY;
  }

  /** Returns the earliest billed instant of a cluster as known at a position; infinite if nothing is billed. */
  firstBilledAt(cluster: ClusterNumber, asOf: Position): Instant {
    const history = this.#history(cluster);
    if (history.remembers(asOf)) return history.firstBilledAt(asOf);
    return this.billing(cluster, asOf).intervals[0]?.from ?? Number.POSITIVE_INFINITY;
  }

  /** Returns how the last fact of a cluster changes its billing. Only the cluster that was read last with a new fact is known. */
  lastDifference(cluster: ClusterNumber): BillingDifference {
    const history = this.#history(cluster);
    if (this.#lastChanged !== history) throw new Error('the last change of the history has been forgotten');
    return history.differenceBy(this.#lastChange);
  }

  /** Returns the state of a cluster after all facts. The cost does not depend on their number. */
  latestState(cluster: ClusterNumber): LatestState {
    return this.#history(cluster).latestState(this.#sources.facts);
  }

  /** Returns what is billed for a cluster at an instant, by all facts, and until when that is so. */
  billedAt(cluster: ClusterNumber, instant: Instant): ReturnType<BillHistory['at']> {
    return this.#history(cluster).at(instant);
  }

  /** Computes the history of a cluster before the first request. */
  prepare(cluster: ClusterNumber): void {
    if (this.#last(cluster) !== 0) this.#history(cluster).compact();
  }

  #history(cluster: ClusterNumber): BillHistory {
    let history = this.#histories[cluster];
    if (history === undefined) {
      history = new BillHistory();
      this.#histories[cluster] = history;
    }
    const change = history.extend(this.#sources.facts, this.#last(cluster));
    if (change !== undefined) {
      this.#lastChanged = history;
      this.#lastChange = change;
    }
    return history;
  }

  #last(cluster: ClusterNumber): number {
    return this.#sources.last.at(cluster);
  }
}
