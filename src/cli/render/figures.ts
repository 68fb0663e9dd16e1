import type { z } from 'zod';
import type { AmountsOut, UsageOut } from '../../api/usage.ts';
import type { WindowHead, WindowOut } from '../../api/values.ts';
import type { Detail } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';

type Usage = z.output<typeof UsageOut>;
type Amounts = z.output<typeof AmountsOut>;

/** Returns the window of figures, as labels and values. Says if some of its usage is on no statement. */
export function windowDetails({
  period,
  window,
  through,
  statementsBegin,
}: z.output<z.ZodObject<typeof WindowHead>>): Detail[] {
  return [
    ...(period === undefined ? [] : [['period', period] as const]),
    ['from', window.from],
    ['to', window.to],
    ['counted through', through],
    ...(statementsBegin === undefined
      ? []
      : [['statements begin', `${statementsBegin}; usage from before is on no statement`] as const]),
  ];
}

/** Returns the window and the position of figures, as labels and values. */
export function headDetails({ asOf, position, ...head }: z.output<z.ZodObject<typeof WindowOut>>): Detail[] {
  return [
    ...windowDetails(head),
    ['log position', asOf === null || asOf === position ? position : `${position} (as of ${asOf})`],
  ];
}

/** Returns columns for the six measures of usage. */
export function usageColumns<Row>(usageOf: (row: Row) => Usage): Column<Row>[] {
  const figure = (title: string, cell: (usage: Usage) => string | number, isWide = false): Column<Row> => ({
    title,
    isFigure: true,
    isWide,
    cell: (row) => cell(usageOf(row)),
  });
  return [
    figure('CLUSTERS', (usage) => usage.billableClusters),
    figure('CLUSTER SECONDS', (usage) => usage.clusterSeconds),
    figure('PEAK', (usage) => usage.peakClusters),
    figure('AT START', (usage) => usage.clustersAtStart, true),
    figure('AT END', (usage) => usage.clustersAtEnd, true),
    figure('AVERAGE', (usage) => usage.averageClusters),
  ];
}

/**
 * Returns columns for the two measures that can be added.
 * @param group first word of their titles, or an empty string. The number of clusters of a group is a wide column.
 */
export function amountColumns<Row>(
  group: string,
  amountsOf: (row: Row) => Amounts,
  write: (amounts: Amounts) => Amounts | { billableClusters: string; clusterSeconds: string } = (plain) =>
    plain,
): Column<Row>[] {
  const isGroup = group !== '';
  return [
    {
      title: isGroup ? `${group} CLUSTERS` : 'CLUSTERS',
      isFigure: true,
      isWide: isGroup,
      cell: (row) => write(amountsOf(row)).billableClusters,
    },
    {
      title: isGroup ? `${group} SECONDS` : 'CLUSTER SECONDS',
      isFigure: true,
      cell: (row) => write(amountsOf(row)).clusterSeconds,
    },
  ];
}

/** Formats a difference with its sign. */
export function signed({ billableClusters, clusterSeconds }: Amounts) {
  return {
    billableClusters: billableClusters > 0 ? `+${billableClusters}` : String(billableClusters),
    clusterSeconds:
      clusterSeconds.startsWith('-') || clusterSeconds === '0.000' ? clusterSeconds : `+${clusterSeconds}`,
  };
}
