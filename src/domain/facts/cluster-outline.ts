import type { KnownFact } from './fact.ts';

/**
 * The facts of a cluster, as far as the projections know them. It is enough to decide on a new fact, so that the facts of a large
 * cluster need not be read for it. It does not change if facts are added to the cluster.
 */
export interface ClusterOutline {
  /** Number of facts, voided ones included. */
  readonly count: number;
  /** Event id of the last fact. */
  readonly lastEventId: string;
  /** Registrations, changes of the account, deletions and voids, in the order of their revisions. */
  readonly deciding: readonly KnownFact[];
  /** Returns any fact with what `decide` asks of it: its type, its effective time and its cause. */
  find(eventId: string): KnownFact | undefined;
  /** Returns the revisions of the facts whose origin has a hash (see `originHash`). */
  revisionsOf(originHash: number): readonly number[];
}
