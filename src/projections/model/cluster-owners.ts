import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import { NumericColumn } from './numeric-column.ts';

/** The clusters that any fact ever gave to an account, in the order in which that became known. */
interface Owned {
  readonly clusters: readonly ClusterNumber[];
  /** For each of them, the position of the first fact that gives it to the account. */
  readonly since: readonly Position[];
}

/** An account that a cluster was given to, and the position of the first fact that gives it. */
interface Owner {
  readonly account: AccountNumber;
  readonly since: Position;
}

/** Which clusters any fact, voided or not, ever gave to which account. */
export class ClusterOwners {
  /** By number of the account. */
  readonly #clusters: ClusterNumber[][] = [];
  /** By number of the cluster: one of its owners, most have no other. The position is 0 if it has none. */
  readonly #account = new NumericColumn<Uint32Array, AccountNumber>(Uint32Array);
  readonly #since = new NumericColumn<Uint32Array, Position>(Uint32Array);
  readonly #others = new Map<ClusterNumber, Owner[]>();

  constructor(owned: readonly Owned[] = []) {
    for (const [account, { clusters, since }] of owned.entries())
      for (const [i, cluster] of clusters.entries())
        this.#add(cluster, { account, since: since[i] as Position });
  }

  /** Notes that the fact at a position gives a cluster to an account. */
  note(cluster: ClusterNumber, account: AccountNumber, position: Position): void {
    if (this.#sinceOf(cluster, account) === undefined) this.#add(cluster, { account, since: position });
  }

  #add(cluster: ClusterNumber, owner: Owner): void {
    const { account, since } = owner;
    const clusters = this.#clusters[account];
    if (clusters === undefined) this.#clusters[account] = [cluster];
    else clusters.push(cluster);
    if (this.#isOwned(cluster)) {
      const others = this.#others.get(cluster);
      if (others === undefined) this.#others.set(cluster, [owner]);
      else others.push(owner);
      return;
    }
    while (this.#since.length <= cluster) {
      this.#account.push(0);
      this.#since.push(0);
    }
    this.#account.set(cluster, account);
    this.#since.set(cluster, since);
  }

  #isOwned(cluster: ClusterNumber): boolean {
    return cluster < this.#since.length && this.#since.at(cluster) !== 0;
  }

  /** Returns the position of the first fact that gives a cluster to an account; `undefined` if there is none. */
  #sinceOf(cluster: ClusterNumber, account: AccountNumber): Position | undefined {
    if (!this.#isOwned(cluster)) return undefined;
    if (this.#account.at(cluster) === account) return this.#since.at(cluster);
    return this.#others.get(cluster)?.find((owner) => owner.account === account)?.since;
  }

  /** Returns the accounts that a cluster was ever given to. */
  ownersOf(cluster: ClusterNumber): readonly AccountNumber[] {
    if (!this.#isOwned(cluster)) return [];
    const others = this.#others.get(cluster);
    const account = this.#account.at(cluster);
    return others === undefined ? [account] : [account, ...others.map((owner) => owner.account)];
  }

  /** Returns the clusters ever given to an account. Some may belong to another account by now. */
  clustersOf(account: AccountNumber): readonly ClusterNumber[] {
    return this.#clusters[account] ?? [];
  }

  /** Returns the clusters ever given to an account, as known at a position. */
  clustersKnownAt(account: AccountNumber, asOf: Position): ClusterNumber[] {
    return this.clustersOf(account).filter((cluster) => this.everOwned(cluster, account, asOf));
  }

  /** Returns whether a cluster was ever given to an account, as known at a position. */
  everOwned(cluster: ClusterNumber, account: AccountNumber, asOf: Position): boolean {
    return (this.#sinceOf(cluster, account) ?? Number.POSITIVE_INFINITY) <= asOf;
  }

  /** All of it, by number of the account, for a snapshot. */
  get owned(): readonly Owned[] {
    return this.#clusters.map((clusters, account) => ({
      clusters,
      since: clusters.map((cluster) => this.#sinceOf(cluster, account) as Position),
    }));
  }
}
