import { SortedList } from '../../domain/sorted-list.ts';
import type { Instant } from '../../domain/time.ts';
import type { BillingIndex } from './billing-index.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';

/** An instant ahead at which the billing of a cluster changes. */
interface Edge {
  readonly at: Instant;
  readonly cluster: ClusterNumber;
}

/** The number of clusters billed to an account, as facts are recorded and time passes. */
class BilledCount {
  readonly #billing: BillingIndex;
  readonly #account: AccountNumber;
  /** The type as which each cluster is billed now; only clusters that are billed. */
  readonly #typeOf = new Map<ClusterNumber, number | null>();
  readonly byType = new Map<number | null, number>();
  /** Facts may be effective a few minutes ahead. */
  readonly #ahead = new SortedList<Edge>((a, b) => a.at - b.at);

  constructor(billing: BillingIndex, account: AccountNumber) {
    this.#billing = billing;
    this.#account = account;
  }

  /** Counts the clusters whose billing changes up to an instant. The instants of the calls never go back. */
  advance(now: Instant): void {
    for (let next = this.#ahead.at(0); next !== undefined && next.at <= now; next = this.#ahead.at(0)) {
      this.#ahead.remove(next);
      this.count(next.cluster, now);
    }
  }

  /** Counts a cluster again, because a fact of it was recorded. */
  count(cluster: ClusterNumber, now: Instant): void {
    const { billed, nextEdge } = this.#billing.billedAt(cluster, now);
    if (this.#typeOf.has(cluster)) this.#add(this.#typeOf.get(cluster) ?? null, -1);
    this.#typeOf.delete(cluster);
    if (billed?.account === this.#account) {
      this.#typeOf.set(cluster, billed.type);
      this.#add(billed.type, 1);
    }
    if (nextEdge !== Number.POSITIVE_INFINITY) this.#ahead.add({ at: nextEdge, cluster });
  }

  #add(type: number | null, difference: 1 | -1): void {
    const count = (this.byType.get(type) ?? 0) + difference;
    if (count === 0) this.byType.delete(type);
    else this.byType.set(type, count);
  }
}

/**
 * Counts the billed clusters of the accounts that have limits, so that comparing them after a fact costs the same however many
 * clusters the account has.
 */
export class LimitWatch {
  readonly #billing: BillingIndex;
  readonly #clustersOf: (account: AccountNumber) => readonly ClusterNumber[];
  readonly #counts = new Map<AccountNumber, BilledCount>();

  constructor(billing: BillingIndex, clustersOf: (account: AccountNumber) => readonly ClusterNumber[]) {
    this.#billing = billing;
    this.#clustersOf = clustersOf;
  }

  /** Stops counting for an account, because it has no limits any more. */
  forget(account: AccountNumber): void {
    this.#counts.delete(account);
  }

  /**
   * Returns how many clusters of each type are billed to an account.
   * @param changed the cluster whose fact was recorded, if that is why the account is counted.
   * @param now never before the instant of an earlier call.
   */
  billedByType(
    account: AccountNumber,
    changed: ClusterNumber | undefined,
    now: Instant,
  ): ReadonlyMap<number | null, number> {
    let counts = this.#counts.get(account);
    if (counts === undefined) {
      counts = new BilledCount(this.#billing, account);
      this.#counts.set(account, counts);
      for (const cluster of this.#clustersOf(account)) counts.count(cluster, now);
    } else {
      counts.advance(now);
      if (changed !== undefined) counts.count(changed, now);
    }
    return counts.byType;
  }
}
