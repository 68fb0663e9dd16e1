import type { Instant, Period, Window } from '../time.ts';
import type { Interval } from './billing.ts';
import { AmountSum, type Amounts } from './quantity.ts';
import type { Usage } from './usage.ts';

/** What became known of an earlier closed period since it was last accounted for. */
export interface Change {
  readonly period: Period;
  /** As known at the watermark of the period closed before this one. */
  readonly before: Usage;
  /** As known at the watermark of this one. */
  readonly after: Usage;
  /** Event ids of the facts that caused it, in the order of the log. */
  readonly facts: readonly string[];
}

export interface Adjustment extends Change {
  readonly delta: Amounts;
}

/**
 * What an account is charged for a period. It never changes: whoever works it out again at the same watermark gets the
 * same bytes. When the period was closed is no part of it, so that a close that was interrupted ends in the same digest.
 */
export interface Statement {
  readonly accountId: string;
  readonly period: Period;
  /** Position of the last event that it knows, as a decimal string. */
  readonly watermark: string;
  readonly usage: Usage;
  /** In the order of their periods. */
  readonly adjustments: readonly Adjustment[];
  /** Usage and adjustments; may be negative. */
  readonly total: Amounts;
}

/**
 * The statement of an account, by docs/billing-rules.md.
 * @param usage of the period, as known at the watermark.
 * @param changes of each earlier closed period of which anything may have changed, in order.
 * @returns `undefined` where the account was not billed and nothing is to be adjusted.
 */
export function statementOf(
  { accountId, period, watermark }: { accountId: string; period: Period; watermark: number },
  usage: Usage,
  changes: readonly Change[],
): Statement | undefined {
  const adjustments = changes.filter(({ before, after }) => differs(before, after)).map(adjustmentFor);
  if (usage.billableClusters === 0 && adjustments.length === 0) return undefined;
  const sum = new AmountSum().add(usage);
  for (const { delta } of adjustments) sum.add(delta);
  return { accountId, period, watermark: String(watermark), usage, adjustments, total: sum.total };
}

function adjustmentFor({ period, before, after, facts }: Change): Adjustment {
  const delta = new AmountSum().add(after).subtract(before).total;
  return { period, before, after, delta, facts };
}

function differs(before: Usage, after: Usage): boolean {
  return (Object.keys(before) as (keyof Usage)[]).some((measure) => before[measure] !== after[measure]);
}

/** The canonical JSON (RFC 8785) of a statement: its members by name, at every depth; its numbers are whole. */
export function canonicalStatement(statement: Statement): string {
  const { accountId, period, watermark, usage, adjustments, total } = statement;
  return JSON.stringify({
    accountId,
    adjustments: adjustments.map(({ period: of, before, after, delta, facts }) => ({
      after: inOrder(after),
      before: inOrder(before),
      delta: { billableClusters: delta.billableClusters, clusterSeconds: delta.clusterSeconds },
      facts,
      period: of,
    })),
    period,
    total: { billableClusters: total.billableClusters, clusterSeconds: total.clusterSeconds },
    usage: inOrder(usage),
    watermark,
  });
}

function inOrder(usage: Usage) {
  const { billableClusters, clusterSeconds, peakClusters, clustersAtStart, clustersAtEnd, averageClusters } =
    usage;
  return {
    averageClusters,
    billableClusters,
    clusterSeconds,
    clustersAtEnd,
    clustersAtStart,
    peakClusters,
  };
}

/** The billed intervals of one cluster, and whose they are. */
export interface OwnedIntervals {
  readonly accountId: string | undefined;
  readonly intervals: readonly Interval[];
}

/** The first instant that is billed in one way and not in the other; `undefined` where both are the same. */
export function firstChange(before: OwnedIntervals, after: OwnedIntervals): Instant | undefined {
  const [one, other] = [before.intervals, after.intervals];
  if (before.accountId !== after.accountId) return earlier(one[0]?.from, other[0]?.from);
  for (let i = 0; i < one.length || i < other.length; i++) {
    const [a, b] = [one[i], other[i]];
    if (a?.from !== b?.from) return earlier(a?.from, b?.from);
    if (a?.to !== b?.to) return earlier(a?.to ?? undefined, b?.to ?? undefined);
  }
  return undefined;
}

function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

/** Whether the cluster is billed otherwise within a window, or to another account. */
export function changesWithin(before: OwnedIntervals, after: OwnedIntervals, window: Window): boolean {
  const [one, other] = [before.intervals, after.intervals];
  const isOthers = before.accountId !== after.accountId;
  let i = nextWithin(one, 0, window);
  let j = nextWithin(other, 0, window);
  while (i < one.length && j < other.length) {
    const [a, b] = [one[i] as Interval, other[j] as Interval];
    if (isOthers || startIn(a, window) !== startIn(b, window) || endIn(a, window) !== endIn(b, window))
      return true;
    i = nextWithin(one, i + 1, window);
    j = nextWithin(other, j + 1, window);
  }
  return i < one.length || j < other.length;
}

/** The place of the first interval, from a place on, of which anything is within a window; their number where none is. */
function nextWithin(intervals: readonly Interval[], from: number, window: Window): number {
  let i = from;
  while (i < intervals.length && !isWithin(intervals[i] as Interval, window)) i++;
  return i;
}

const startIn = ({ from }: Interval, window: Window): Instant => Math.max(from, window.from);
const endIn = ({ to }: Interval, window: Window): Instant => Math.min(to ?? window.to, window.to);
const isWithin = (interval: Interval, window: Window) => startIn(interval, window) < endIn(interval, window);
