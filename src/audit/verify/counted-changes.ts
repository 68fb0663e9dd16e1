import type { BillingFact } from './billing-fact.ts';

/** A fact that counts now and did not, or did and no longer does. */
interface CountedChange {
  /** The fact itself, or the first void of it. */
  readonly by: BillingFact;
  /** When the fact that counts, or did, is effective. */
  readonly at: number;
}

/**
 * Returns what changed of a cluster between two positions in the facts that count for its bill: docs/evidence.md, "Causes of an
 * adjustment".
 * @param facts all facts of the cluster, in the order of the log.
 */
export function changesBetween(facts: readonly BillingFact[], before: number, w: number): CountedChange[] {
  const known = facts.filter(({ position }) => position <= w);
  const voidOf = new Map<string, BillingFact>();
  for (const fact of known) {
    if (fact.voids !== undefined && !voidOf.has(fact.voids)) voidOf.set(fact.voids, fact);
  }
  return known.filter(decidesBilling).flatMap((fact): CountedChange[] => {
    const itsVoid = voidOf.get(fact.eventId);
    const counted = fact.position <= before && (itsVoid === undefined || itsVoid.position > before);
    const counts = itsVoid === undefined;
    return counted === counts ? [] : [{ by: itsVoid ?? fact, at: fact.at }];
  });
}

/**
 * Returns whether a fact can change a bill, other than by voiding another fact. The notice of a deletion never does, nor does a
 * change of nothing that billing reads.
 */
function decidesBilling({ type, cause, accountId, clusterType, billable }: BillingFact): boolean {
  switch (type) {
    case 'registered':
    case 'deleted':
      return true;
    case 'changed':
      return accountId !== undefined || clusterType !== undefined || billable !== undefined;
    case 'stopped':
    case 'resumed':
      return cause !== undefined;
    default:
      return false;
  }
}
