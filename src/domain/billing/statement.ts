import type { Instant, Period, Window } from '../time.ts';
import type { Interval } from './billing.ts';
import { AmountSum, type Amounts } from './quantity.ts';
import { compareTypes, type TypeUsage, type Usage, type UsageBreakdown } from './usage-meter.ts';

/** The version of docs/billing-rules.md by which statements are made. It is recorded with each closing. */
export const RULES_VERSION = 2;

/** The usage of an earlier period, as it was accounted for and as it is known now. */
export interface Change {
  readonly period: Period;
  /** As known at the watermark of the period closed before this one. */
  readonly before: UsageBreakdown;
  /** As known at the watermark of this one. */
  readonly after: UsageBreakdown;
  /** Event ids of the facts that caused the change, in the order of the log. */
  readonly facts: readonly string[];
}

/** The change of the usage of one cluster type. */
export interface TypeAdjustment {
  readonly clusterType: string | null;
  readonly before: Usage;
  readonly after: Usage;
  readonly delta: Amounts;
}

/** A line of a statement that corrects an earlier period. */
export interface Adjustment {
  readonly period: Period;
  readonly before: Usage;
  readonly after: Usage;
  readonly delta: Amounts;
  /** The types whose usage changed, in order. */
  readonly byType: readonly TypeAdjustment[];
  readonly facts: readonly string[];
}

/** Amounts of one cluster type. */
export interface TypeAmounts extends Amounts {
  readonly clusterType: string | null;
}

/**
 * The charge of an account for a period. A closed statement never changes: computing it again at the same watermark gives the
 * same bytes. The time of the closing is not part of it, so that a close that was interrupted ends in the same digest.
 */
export interface Statement {
  /** Identifies the statement of this account and period in every ledger: an idempotency key for other systems. */
  readonly statementId: string;
  readonly accountId: string;
  readonly period: Period;
  /** Position of the last event that it takes into account, as a decimal string. */
  readonly watermark: string;
  readonly usage: Usage;
  readonly byType: readonly TypeUsage[];
  /** In the order of their periods. */
  readonly adjustments: readonly Adjustment[];
  /** Usage and adjustments; may be negative. */
  readonly total: Amounts & { readonly byType: readonly TypeAmounts[] };
}

/** Identifies a statement before its content is computed. */
export interface StatementKey {
  readonly statementId: string;
  readonly accountId: string;
  readonly period: Period;
  readonly watermark: number;
}

/**
 * Returns the statement of an account, by docs/billing-rules.md.
 * @param breakdown usage of the period, as known at the watermark.
 * @param changes of each earlier period of which anything may have changed, in order.
 * @returns `undefined` if the account was not billed and there is nothing to adjust.
 */
export function statementOf(
  { statementId, accountId, period, watermark }: StatementKey,
  { usage, byType }: UsageBreakdown,
  changes: readonly Change[],
): Statement | undefined {
  const adjustments = adjustmentsOf(changes);
  if (usage.billableClusters === 0 && adjustments.length === 0) return undefined;
  const total = new AmountSum().add(usage);
  const types = new Map(byType.map((own) => [own.clusterType, new AmountSum().add(own)]));
  for (const { delta, byType: changed } of adjustments) {
    total.add(delta);
    for (const { clusterType, delta: ofType } of changed) {
      const sum = types.get(clusterType) ?? new AmountSum();
      types.set(clusterType, sum.add(ofType));
    }
  }
  const totals = Array.from(types, ([clusterType, sum]) => ({ clusterType, ...sum.total }));
  return {
    statementId,
    accountId,
    period,
    watermark: String(watermark),
    usage,
    byType,
    adjustments,
    total: { ...total.total, byType: totals.sort((a, b) => compareTypes(a.clusterType, b.clusterType)) },
  };
}

/** Returns the lines that correct periods, in their order. Where nothing changed, there is none. */
export function adjustmentsOf(changes: readonly Change[]): readonly Adjustment[] {
  return changes.map(adjustmentFor).filter((adjustment) => adjustment !== undefined);
}

/** Returns the line that corrects a period; `undefined` if nothing changed there. */
function adjustmentFor({ period, before, after, facts }: Change): Adjustment | undefined {
  const types = new Set([...before.byType, ...after.byType].map(({ clusterType }) => clusterType));
  const byType = [...types].sort(compareTypes).flatMap((clusterType) => {
    const [was, is] = [usageOfType(before, clusterType), usageOfType(after, clusterType)];
    return differs(was, is) ? [{ clusterType, before: was, after: is, delta: deltaOf(was, is) }] : [];
  });
  if (byType.length === 0 && !differs(before.usage, after.usage)) return undefined;
  const delta = deltaOf(before.usage, after.usage);
  return { period, before: before.usage, after: after.usage, delta, byType, facts };
}

function usageOfType({ byType }: UsageBreakdown, clusterType: string | null): Usage {
  const own = byType.find((line) => line.clusterType === clusterType);
  if (own === undefined) return NO_USAGE;
  const { clusterType: _, ...usage } = own;
  return usage;
}

/** Usage of a type that is not billed in the window. */
const NO_USAGE: Usage = {
  billableClusters: 0,
  clusterSeconds: '0.000',
  peakClusters: 0,
  clustersAtStart: 0,
  clustersAtEnd: 0,
  averageClusters: '0.000000',
};

const deltaOf = (before: Usage, after: Usage): Amounts => new AmountSum().add(after).subtract(before).total;

function differs(before: Usage, after: Usage): boolean {
  return (Object.keys(NO_USAGE) as (keyof Usage)[]).some((measure) => before[measure] !== after[measure]);
}

/** Returns the canonical JSON (RFC 8785) of a statement: members sorted by name at every depth; all numbers are integers. */
export function canonicalStatement(statement: Statement): string {
  const { statementId, accountId, period, watermark, usage, byType, adjustments, total } = statement;
  return JSON.stringify({
    accountId,
    adjustments: adjustments.map(({ period: adjusted, before, after, delta, facts, byType: types }) => ({
      after: inOrder(after),
      before: inOrder(before),
      byType: types.map(({ clusterType, before: was, after: is, delta: change }) => ({
        after: inOrder(is),
        before: inOrder(was),
        clusterType,
        delta: amountsInOrder(change),
      })),
      delta: amountsInOrder(delta),
      facts,
      period: adjusted,
    })),
    byType: byType.map((own) => ({
      averageClusters: own.averageClusters,
      billableClusters: own.billableClusters,
      clusterSeconds: own.clusterSeconds,
      clusterType: own.clusterType,
      clustersAtEnd: own.clustersAtEnd,
      clustersAtStart: own.clustersAtStart,
      peakClusters: own.peakClusters,
    })),
    period,
    statementId,
    total: {
      billableClusters: total.billableClusters,
      byType: total.byType.map(({ billableClusters, clusterSeconds, clusterType }) => ({
        billableClusters,
        clusterSeconds,
        clusterType,
      })),
      clusterSeconds: total.clusterSeconds,
    },
    usage: inOrder(usage),
    watermark,
  });
}

const amountsInOrder = ({ billableClusters, clusterSeconds }: Amounts) => ({
  billableClusters,
  clusterSeconds,
});

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

/** A billed interval without the facts that opened and closed it. `Id` names accounts. */
export interface BilledInterval<Id> {
  readonly from: Instant;
  /** `null` or infinite while it goes on. */
  readonly to: Instant | null;
  readonly accountId: Id;
  /** The name or the number of the type. */
  readonly clusterType: string | number | null;
}

/** A billed interval with the names of its account and type. */
export type OwnedInterval = Pick<Interval, 'from' | 'to' | 'accountId' | 'clusterType'>;

/** Returns the first instant that is billed differently in two lists of intervals; `undefined` if both are the same. */
export function firstChange<Id>(
  before: readonly BilledInterval<Id>[],
  after: readonly BilledInterval<Id>[],
): Instant | undefined {
  for (let i = 0; i < before.length || i < after.length; i++) {
    const [a, b] = [before[i], after[i]];
    if (a === undefined || b === undefined || a.from !== b.from) return earlier(a?.from, b?.from);
    if (a.accountId !== b.accountId || a.clusterType !== b.clusterType) return a.from;
    if (a.to !== b.to) return earlier(a.to ?? undefined, b.to ?? undefined);
  }
  return undefined;
}

function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

/** Returns whether two lists of intervals bill differently within a window: other times, or another type. */
export function changesWithin(
  before: readonly OwnedInterval[],
  after: readonly OwnedInterval[],
  window: Window,
): boolean {
  let i = nextWithin(before, 0, window);
  let j = nextWithin(after, 0, window);
  while (i < before.length && j < after.length) {
    const [a, b] = [before[i] as OwnedInterval, after[j] as OwnedInterval];
    if (a.accountId !== b.accountId || a.clusterType !== b.clusterType) return true;
    if (startIn(a, window) !== startIn(b, window) || endIn(a, window) !== endIn(b, window)) return true;
    i = nextWithin(before, i + 1, window);
    j = nextWithin(after, j + 1, window);
  }
  return i < before.length || j < after.length;
}

/** Returns the index of the first interval, from an index on, that overlaps a window; the length if there is none. */
function nextWithin(intervals: readonly OwnedInterval[], from: number, window: Window): number {
  let i = from;
  while (i < intervals.length && !isWithin(intervals[i] as OwnedInterval, window)) i++;
  return i;
}

const startIn = ({ from }: OwnedInterval, window: Window): Instant => Math.max(from, window.from);
const endIn = ({ to }: OwnedInterval, window: Window): Instant => Math.min(to ?? window.to, window.to);

/** Returns whether any time of an interval is in a window. */
export function isWithin(interval: OwnedInterval, window: Window): boolean {
  return startIn(interval, window) < endIn(interval, window);
}
