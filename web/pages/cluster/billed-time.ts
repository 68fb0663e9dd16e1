import type { ClusterBilling } from '../../data/clusters.ts';

/** Returns milliseconds as the ledger writes seconds, such as `12.345`. */
export function secondsText(ms: number): string {
  return `${Math.trunc(ms / 1_000)}.${String(Math.abs(ms % 1_000)).padStart(3, '0')}`;
}

/** Returns for how long a cluster is billed to its owner in the UTC month of an instant, up to that instant. */
export function billedInMonth(
  { intervals, accountId }: ClusterBilling,
  now: number,
): { readonly period: string; readonly seconds: string } {
  const at = new Date(now);
  const from = Date.UTC(at.getUTCFullYear(), at.getUTCMonth());
  const ms = intervals
    .filter((interval) => interval.accountId === accountId)
    .map(
      (interval) =>
        Math.min(interval.to === null ? now : Date.parse(interval.to), now) -
        Math.max(Date.parse(interval.from), from),
    )
    .reduce((sum, length) => sum + Math.max(0, length), 0);
  return { period: at.toISOString().slice(0, 7), seconds: secondsText(Math.trunc(ms / 1_000) * 1_000) };
}
