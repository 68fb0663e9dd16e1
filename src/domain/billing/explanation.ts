import type { Instant, Window } from '../time.ts';
import type { ClusterBilling, Interval } from './billing.ts';

/** The part of a billed interval that counts in a window, and the facts that the interval lies between. */
export interface CountedInterval {
  readonly from: Instant;
  readonly to: Instant;
  /** Positions, as in `Interval`; what closed it may be effective after the window. */
  readonly openedBy: number;
  readonly closedBy: number | null;
}

/** The parts of billed intervals that count in a window, in order, none empty. */
export function countedIntervals(intervals: readonly Interval[], counted: Window): CountedInterval[] {
  return intervals.flatMap(({ from, to, openedBy, closedBy }) => {
    const start = Math.max(from, counted.from);
    const end = Math.min(to ?? counted.to, counted.to);
    return start < end ? [{ from: start, to: end, openedBy, closedBy }] : [];
  });
}

/** Why a cluster is not billed to an account in a window: the first of these that holds. */
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
 * Why nothing of a cluster counts in a window.
 * `orphan`: no registration counts. `other-account`: the one that counts names another account. `free`: it is not billable.
 * `deleted-before`: it was gone when the window began, or before it began to be. `not-yet`: it comes after the window.
 * `stopped`: a cause stops billing from beginning to end.
 */
export function whyNotBilled(
  { registration, deletion }: ClusterBilling,
  accountId: string,
  { from, to }: Window,
): NotBilled {
  if (registration === undefined) return 'orphan';
  const { accountId: owner, billable, effectiveAt } = registration.fact;
  if (owner !== accountId) return 'other-account';
  if (!billable) return 'free';
  if (from === to) return 'empty-window';
  const deletedAt = deletion?.fact.effectiveAt ?? Number.POSITIVE_INFINITY;
  if (deletedAt <= Math.max(from, effectiveAt)) return 'deleted-before';
  return effectiveAt >= to ? 'not-yet' : 'stopped';
}
