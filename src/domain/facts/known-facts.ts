import { SortedList } from '../sorted-list.ts';
import type { Instant } from '../time.ts';
import type { ClusterOutline } from './cluster-outline.ts';
import type { KnownFact } from './fact.ts';

/** The questions of `decide` about the facts of a cluster. */
export type FactLookup = Pick<KnownFacts, 'find' | 'voidOf' | 'ownerAt' | 'deletedAt'>;

/**
 * The facts of one cluster, as `decide` asks about them. Adding a fact and answering a question cost the same however many
 * facts the cluster has. The first facts may be known by their outline only.
 */
export class KnownFacts<K extends KnownFact = KnownFact> {
  readonly #all: K[] = [];
  readonly #outline: Pick<ClusterOutline, 'deciding' | 'find'> | undefined;
  /** By event id. Absent until the first void, because most clusters have none. */
  #byId: Map<string, KnownFact> | undefined;
  /** The first void of each fact, by the event id of that fact. */
  #voids: Map<string, KnownFact> | undefined;
  // The active facts, by what they say. Absent until the first, because most clusters have few, and there are many clusters.
  #registrations: SortedList<KnownFact> | undefined;
  #deletions: SortedList<KnownFact> | undefined;
  #owners: SortedList<KnownFact> | undefined;

  /** @param facts in the order of their revisions. @param outline of the facts before them. */
  constructor(facts: Iterable<K> = [], outline?: Pick<ClusterOutline, 'deciding' | 'find'>) {
    this.#outline = outline;
    for (const fact of outline?.deciding ?? []) this.#learn(fact);
    for (const fact of facts) this.add(fact);
  }

  /** All facts that have no outline, in the order of their revisions, voided ones included. */
  get all(): readonly K[] {
    return this.#all;
  }

  /** Adds the next fact of the cluster. */
  add(known: K): void {
    this.#all.push(known);
    this.#byId?.set(known.eventId, known);
    this.#learn(known);
  }

  #learn(known: KnownFact): void {
    const { fact } = known;
    if (fact.type !== 'FactVoided') {
      if (this.voidOf(known.eventId) === undefined)
        for (const list of this.#listsWith(known)) list.add(known);
      return;
    }
    if (this.voidOf(fact.voids) !== undefined) return;
    this.#voids ??= new Map();
    this.#voids.set(fact.voids, known);
    const target = this.find(fact.voids);
    if (target !== undefined) for (const list of this.#listsWith(target)) list.remove(target);
  }

  /** Removes the last fact again, as if it had never been added, and returns it. */
  removeLast(): K | undefined {
    const known = this.#all.pop();
    if (known === undefined) return undefined;
    this.#byId?.delete(known.eventId);
    const { fact } = known;
    if (fact.type !== 'FactVoided') {
      for (const list of this.#listsWith(known)) list.remove(known);
    } else if (this.voidOf(fact.voids) === known) {
      this.#voids?.delete(fact.voids);
      const target = this.find(fact.voids);
      if (target !== undefined) for (const list of this.#listsWith(target)) list.add(target);
    }
    return known;
  }

  /** Returns the fact with an event id, voided or not. */
  find(eventId: string): KnownFact | undefined {
    this.#byId ??= new Map(
      [...(this.#outline?.deciding ?? []), ...this.#all].map((known) => [known.eventId, known]),
    );
    return this.#byId.get(eventId) ?? this.#outline?.find(eventId);
  }

  /** Returns the first void of a fact; `undefined` if the fact is active. */
  voidOf(eventId: string): KnownFact | undefined {
    return this.#voids?.get(eventId);
  }

  /** When the cluster is deleted: the effective time of the first active deletion. */
  get deletedAt(): Instant | undefined {
    return this.#deletions?.at(0)?.fact.effectiveAt;
  }

  /** Returns the account that owns the cluster at an instant, as `ownerAt` does. */
  ownerAt(at: Instant): string | undefined {
    const registeredAt = this.#registrations?.at(0)?.fact.effectiveAt;
    const owners = this.#owners;
    if (registeredAt === undefined || owners === undefined) return undefined;
    const until = Math.max(at, registeredAt);
    const behind = owners.firstIndex(({ fact }) => fact.effectiveAt > until);
    return behind === 0 ? undefined : accountIn(owners.at(behind - 1) as KnownFact);
  }

  /** Returns the lists that have a fact while it is active. */
  #listsWith(known: KnownFact): readonly SortedList<KnownFact>[] {
    const { type } = known.fact;
    if (type === 'ClusterDeleted') {
      this.#deletions ??= new SortedList<KnownFact>(byTimeAndId);
      return [this.#deletions];
    }
    if (accountIn(known) === undefined) return NO_LISTS;
    this.#owners ??= new SortedList<KnownFact>(byTimeAndId);
    if (type !== 'ClusterRegistered') return [this.#owners];
    this.#registrations ??= new SortedList<KnownFact>(byTimeAndId);
    return [this.#registrations, this.#owners];
  }
}

const NO_LISTS: readonly never[] = [];

function accountIn({ fact }: KnownFact): string | undefined {
  return fact.type === 'ClusterRegistered' || fact.type === 'ClusterChanged' ? fact.accountId : undefined;
}

/** Compares by effective time, then by event id: of two facts at one instant the one with the greater id counts. */
function byTimeAndId(a: KnownFact, b: KnownFact): number {
  return (
    a.fact.effectiveAt - b.fact.effectiveAt || (a.eventId < b.eventId ? -1 : Number(a.eventId > b.eventId))
  );
}
