import { statementIdOf } from './book-statement-id.ts';
import {
  type Amounts,
  type Breakdown,
  difference,
  noUsage,
  sumOf,
  type TypeUsage,
  typesIn,
  type Usage,
} from './measures.ts';
import { monthOf } from './months.ts';

interface TypeAmounts extends Amounts {
  readonly clusterType: string | null;
}

interface Change {
  readonly before: Usage;
  readonly after: Usage;
  readonly delta: Amounts;
}

interface Adjustment extends Change {
  readonly period: string;
  readonly byType: readonly (Change & { readonly clusterType: string | null })[];
  /** Event ids. */
  readonly facts: readonly string[];
}

/** docs/billing-rules.md, "Periods, statements, adjustments". */
export interface Statement {
  readonly statementId: string;
  readonly accountId: string;
  readonly period: string;
  /** Decimal. */
  readonly watermark: string;
  readonly usage: Usage;
  readonly byType: readonly TypeUsage[];
  readonly adjustments: readonly Adjustment[];
  readonly total: Amounts & { readonly byType: readonly TypeAmounts[] };
}

/** Returns the statement of an account; `undefined` if it was not billed and nothing is adjusted. */
export function statementOf(
  accountId: string,
  { period, watermark }: { readonly period: string; readonly watermark: number },
  { usage, byType }: Breakdown,
  adjustments: readonly Adjustment[],
): Statement | undefined {
  if (usage.billableClusters === 0 && adjustments.length === 0) return undefined;
  const ofTypes: TypeAmounts[] = [
    ...byType,
    ...adjustments.flatMap((line) =>
      line.byType.map(({ clusterType, delta }) => ({ clusterType, ...delta })),
    ),
  ];
  const totals = typesIn(ofTypes).map((clusterType) => ({
    clusterType,
    ...sumOf(ofTypes.filter((line) => line.clusterType === clusterType)),
  }));
  return {
    statementId: statementIdOf(accountId, period),
    accountId,
    period,
    watermark: String(watermark),
    usage,
    byType,
    adjustments,
    total: { ...sumOf([usage, ...adjustments.map(({ delta }) => delta)]), byType: totals },
  };
}

/** Returns the line that corrects a period; `undefined` if neither the whole nor a type changed. */
export function adjustmentOf(
  period: string,
  before: Breakdown,
  after: Breakdown,
  facts: readonly string[],
): Adjustment | undefined {
  const byType = typesIn([...before.byType, ...after.byType]).flatMap((clusterType) => {
    const change = changeOf(
      usageOfType(before, clusterType, period),
      usageOfType(after, clusterType, period),
    );
    return change === undefined ? [] : [{ clusterType, ...change }];
  });
  const whole = changeOf(before.usage, after.usage);
  if (whole === undefined && byType.length === 0) return undefined;
  const { usage } = before;
  return {
    period,
    ...(whole ?? { before: usage, after: usage, delta: difference(usage, usage) }),
    byType,
    facts,
  };
}

function usageOfType({ byType }: Breakdown, clusterType: string | null, period: string): Usage {
  const own = byType.find((line) => line.clusterType === clusterType);
  if (own === undefined) return noUsage(...monthOf(period));
  const { clusterType: _, ...usage } = own;
  return usage;
}

function changeOf(before: Usage, after: Usage): Change | undefined {
  const measures = Object.keys(before) as (keyof Usage)[];
  if (measures.every((measure) => before[measure] === after[measure])) return undefined;
  return { before, after, delta: difference(before, after) };
}
