import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';

/** The clusters that any fact ever gave to an account, in the order in which that became known. */
interface Owned {
  readonly clusters: ClusterNumber[];
  /** For each of them, the position of the first fact that gives it to the account. */
  readonly since: Position[];
}

const NOTHING: Owned = { clusters: [], since: [] };

/** Which clusters any fact, voided or not, ever gave to which account. */
export class ClusterOwners {
  /** By number of the account. */
  readonly #owned: Owned[];
  /** By number of the cluster: its only owner so far, or all of them. */
  readonly #owners: (AccountNumber | AccountNumber[])[] = [];

  constructor(owned: readonly Owned[] = []) {
    this.#owned = owned.map(({ clusters, since }) => ({ clusters: [...clusters], since: [...since] }));
    for (const [account, { clusters }] of this.#owned.entries())
      for (const cluster of clusters) this.#addOwner(cluster, account);
  }

  /** Notes that the fact at a position gives a cluster to an account. */
  note(cluster: ClusterNumber, account: AccountNumber, position: Position): void {
    if (this.ownersOf(cluster).includes(account)) return;
    this.#addOwner(cluster, account);
    let owned = this.#owned[account];
    if (owned === undefined) {
      owned = { clusters: [], since: [] };
      this.#owned[account] = owned;
    }
    owned.clusters.push(cluster);
    owned.since.push(position);
  }

  #addOwner(cluster: ClusterNumber, account: AccountNumber): void {
    const owners = this.#owners[cluster];
    if (owners === undefined) this.#owners[cluster] = account;
    else if (typeof owners === 'number') this.#owners[cluster] = [owners, account];
    else owners.push(account);
  }

  /** Returns the accounts that a cluster was ever given to. */
  ownersOf(cluster: ClusterNumber): readonly AccountNumber[] {
    const owners = this.#owners[cluster] ?? [];
    return typeof owners === 'number' ? [owners] : owners;
  }

  /** Returns the clusters ever given to an account. Some may belong to another account by now. */
  clustersOf(account: AccountNumber): readonly ClusterNumber[] {
    return this.#of(account).clusters;
  }

  /** Returns the clusters ever given to an account, as known at a position. */
  clustersKnownAt(account: AccountNumber, asOf: Position): ClusterNumber[] {
    const { clusters, since } = this.#of(account);
    return clusters.filter((_, i) => (since[i] as Position) <= asOf);
  }

  /** Returns whether a cluster was ever given to an account, as known at a position. */
  everOwned(cluster: ClusterNumber, account: AccountNumber, asOf: Position): boolean {
    const { clusters, since } = this.#of(account);
    return (since[clusters.indexOf(cluster)] ?? Number.POSITIVE_INFINITY) <= asOf;
  }

  #of(account: AccountNumber): Owned {
    return this.#owned[account] ?? NOTHING;
  }

  /** All of it, by number of the account, for a snapshot. */
  get owned(): readonly Owned[] {
    return this.#owned;
  }
}
