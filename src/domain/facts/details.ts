import type { Instant } from '../time.ts';
import type { BillingAttribute, ClusterAttributes } from './fact.ts';

/** The attributes of a cluster that billing does not read. */
export type Details = Omit<ClusterAttributes, BillingAttribute>;

/** Facts that say attributes, by effective time. `order` identifies the fact. */
export type Described = readonly { readonly at: Instant; readonly order: number }[];

/**
 * Returns the attributes at an instant: each as the latest fact says it.
 * @param saidBy returns the attributes that a fact says; `undefined` if it says none.
 */
export function detailsAt(
  described: Described,
  at: Instant,
  saidBy: (order: number) => Details | undefined,
): Details {
  const found = {};
  for (const { at: effectiveAt, order } of described)
    if (effectiveAt <= at) Object.assign(found, saidBy(order));
  return found;
}
