import type { Instant, Window } from '../time.ts';
import { type ClusterBilling, type Interval, ownerAt, valueAt } from './billing.ts';

/** The part of a billed interval inside a window, with the facts that opened and closed the interval. */
export interface CountedInterval {
  readonly from: Instant;
  readonly to: Instant;
  /** Orders of facts, as in `Interval`. The closing fact may be effective after the window. */
  readonly openedBy: number;
  readonly closedBy: number | null;
  readonly clusterType: string | null;
}

/** Returns the non-empty parts of billed intervals inside a window, in order. */
export function countedIntervals(intervals: readonly Interval[], counted: Window): CountedInterval[] {
  return intervals.flatMap(({ from, to, openedBy, closedBy, clusterType }) => {
    const start = Math.max(from, counted.from);
    const end = Math.min(to ?? counted.to, counted.to);
    return start < end ? [{ from: start, to: end, openedBy, closedBy, clusterType }] : [];
  });
}

/** Reasons why a cluster is not billed to an account in a window. The first one that applies is reported. */
export const NOT_BILLED = [
  'orphan',
  'other-account',
  'free',
  'empty-window',
  'deleted-before',
  'not-yet',
  'stopped',
] as const;
export type NotBilled = (typeof NOT_BILLED)[number];

/**
 * Returns why nothing of a cluster is billed to an account in a window.
 * `orphan`: it has no active registration. `other-account`: it belongs to other accounts in the whole window. `free`: it is not
 * billable in the window. `deleted-before`: it was deleted before the window, or before its registration. `not-yet`: its
 * registration is effective after the window. `stopped`: causes stop billing in the whole window.
 */
export function whyNotBilled(billing: ClusterBilling, accountId: string, { from, to }: Window): NotBilled {
  const { registration, deletion, attributes } = billing;
  if (registration === undefined) return 'orphan';
  const registeredAt = registration.fact.effectiveAt;
  const start = Math.max(from, registeredAt);
  const isOwner = (at: Instant) => ownerAt(billing, at) === accountId;
  const owns = isOwner(start) || attributes.accountId.some(({ at }) => at >= start && at < to && isOwner(at));
  if (!owns) return 'other-account';
  if (from === to) return 'empty-window';
  const deletedAt = deletion?.fact.effectiveAt ?? Number.POSITIVE_INFINITY;
  if (deletedAt <= start) return 'deleted-before';
  if (registeredAt >= to) return 'not-yet';
  const isBillable = (at: Instant) => valueAt(attributes.billable, at) ?? true;
  const end = Math.min(to, deletedAt);
  const wasBillable =
    isBillable(start) || attributes.billable.some(({ at, value }) => value && at >= start && at < end);
  return wasBillable ? 'stopped' : 'free';
}
