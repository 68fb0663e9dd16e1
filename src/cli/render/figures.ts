import { z } from 'zod';
import type { Detail } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';

/** Shapes of answers, as far as tables show them, and how they are shown. */

export const Usage = z.object({
  billableClusters: z.int(),
  clusterSeconds: z.string(),
  peakClusters: z.int(),
  clustersAtStart: z.int(),
  clustersAtEnd: z.int(),
  averageClusters: z.string(),
});
export type Usage = z.output<typeof Usage>;

export const Amounts = z.object({ billableClusters: z.int(), clusterSeconds: z.string() });
export type Amounts = z.output<typeof Amounts>;

export const windowHead = {
  period: z.string().optional(),
  window: z.object({ from: z.string(), to: z.string() }),
  through: z.string(),
};

export const usageHead = { ...windowHead, asOf: z.string().nullable(), position: z.string() };
const UsageHead = z.object(usageHead);

export const FactRef = z.object({
  eventId: z.string(),
  position: z.string(),
  type: z.string(),
  clusterId: z.string(),
  source: z.string(),
  id: z.string(),
  actor: z.string(),
  effectiveAt: z.string(),
  recordedAt: z.string(),
});
export type FactRef = z.output<typeof FactRef>;

export const Statement = z.object({
  accountId: z.string(),
  period: z.string(),
  watermark: z.string(),
  closedAt: z.string().optional(),
  usage: Usage,
  adjustments: z.array(
    z.object({ period: z.string(), before: Usage, after: Usage, delta: Amounts, facts: z.array(z.string()) }),
  ),
  total: Amounts,
});
export type Statement = z.output<typeof Statement>;

/** What the figures hold for. */
export function headDetails({
  period,
  window,
  through,
  asOf,
  position,
}: z.output<typeof UsageHead>): Detail[] {
  return [
    ...(period === undefined ? [] : [['period', period] as const]),
    ['from', window.from],
    ['to', window.to],
    ['counted through', through],
    ['known at position', asOf === null || asOf === position ? position : `${position} (as of ${asOf})`],
  ];
}

/** Columns for the six measures. */
export function usageColumns<Row>(usageOf: (row: Row) => Usage): Column<Row>[] {
  const figure = (title: string, cell: (usage: Usage) => string | number): Column<Row> => ({
    title,
    isFigure: true,
    cell: (row) => cell(usageOf(row)),
  });
  return [
    figure('CLUSTERS', (usage) => usage.billableClusters),
    figure('CLUSTER SECONDS', (usage) => usage.clusterSeconds),
    figure('PEAK', (usage) => usage.peakClusters),
    figure('AT START', (usage) => usage.clustersAtStart),
    figure('AT END', (usage) => usage.clustersAtEnd),
    figure('AVERAGE', (usage) => usage.averageClusters),
  ];
}

/** Columns for the two measures that add up. */
export function amountColumns<Row>(
  of: string,
  amountsOf: (row: Row) => Amounts,
  write: (amounts: Amounts) => Amounts | { billableClusters: string; clusterSeconds: string } = (plain) =>
    plain,
): Column<Row>[] {
  const prefix = of === '' ? '' : `${of} `;
  return [
    { title: `${prefix}CLUSTERS`, isFigure: true, cell: (row) => write(amountsOf(row)).billableClusters },
    {
      title: `${prefix}CLUSTER SECONDS`,
      isFigure: true,
      cell: (row) => write(amountsOf(row)).clusterSeconds,
    },
  ];
}

/** A difference, with its sign. */
export function signed({ billableClusters, clusterSeconds }: Amounts) {
  return {
    billableClusters: billableClusters > 0 ? `+${billableClusters}` : String(billableClusters),
    clusterSeconds:
      clusterSeconds.startsWith('-') || clusterSeconds === '0.000' ? clusterSeconds : `+${clusterSeconds}`,
  };
}

/** The name of a CloudEvent without what all of them have: `cluster.registered`. */
export function shortType(type: string): string {
  return /^io\.clusterledger\.(.+)\.v1$/.exec(type)?.[1] ?? type;
}
