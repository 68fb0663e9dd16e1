import { useTranslation } from 'react-i18next';
import type { Columns } from './data-table.tsx';
import { BilledTime, Count, millisecondsOf } from './figures.tsx';

/** A row that has a usage. */
interface UsageRow {
  readonly usage: { readonly billableClusters: number; readonly clusterSeconds: string };
}

/** The columns that tables of usage share: the clusters that were billed, and their billed time. */
export function useUsageColumns<T extends UsageRow>(): Record<'billable' | 'time', Columns<T>[number]> {
  const { t } = useTranslation();
  return {
    billable: {
      id: 'billable',
      header: t('measure.billableClusters'),
      accessorFn: ({ usage }) => usage.billableClusters,
      cell: ({ row }) => <Count value={row.original.usage.billableClusters} />,
      size: 150,
      meta: { align: 'right' },
    },
    time: {
      id: 'time',
      header: t('measure.clusterSeconds'),
      accessorFn: ({ usage }) => millisecondsOf(usage.clusterSeconds),
      cell: ({ row }) => <BilledTime seconds={row.original.usage.clusterSeconds} />,
      size: 220,
      meta: { align: 'right', csv: ({ usage }) => usage.clusterSeconds },
    },
  };
}
