import { useTranslation } from 'react-i18next';
import type { ReplayLine } from '../../data/replay.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { factTypeOf, preciseUtc, useFactName } from '../../ui/fact-card.tsx';
import { millisecondsOf, Seconds } from '../../ui/figures.tsx';
import { useUsageColumns } from '../../ui/usage-columns.tsx';

/** Every fact of a replay with the figure after it. */
export function LineTable({ lines }: { readonly lines: readonly ReplayLine[] }) {
  const { t } = useTranslation('replay');
  const factName = useFactName();
  const { billable } = useUsageColumns<ReplayLine>();
  const columns: Columns<ReplayLine> = [
    {
      id: 'position',
      header: t('common:fact.position'),
      accessorFn: ({ position }) => Number(position),
      size: 100,
      meta: { align: 'right' },
    },
    {
      id: 'fact',
      header: t('step.fact'),
      accessorFn: ({ fact }) => factName(factTypeOf(fact.type)),
      size: 180,
    },
    {
      id: 'cluster',
      header: t('common:fact.cluster'),
      accessorFn: ({ fact }) => fact.subject,
      size: 220,
      cell: ({ getValue }) => <span className="name">{String(getValue())}</span>,
    },
    {
      id: 'effective',
      header: t('common:fact.effective'),
      accessorFn: ({ fact }) => fact.time,
      size: 220,
      cell: ({ row }) => preciseUtc(row.original.fact.time),
    },
    billable,
    {
      id: 'seconds',
      header: t('common:measure.seconds'),
      accessorFn: ({ usage }) => millisecondsOf(usage.clusterSeconds),
      cell: ({ row }) => <Seconds value={row.original.usage.clusterSeconds} />,
      size: 180,
      meta: { align: 'right' },
    },
    {
      id: 'delta',
      header: t('difference'),
      accessorFn: ({ delta }) => millisecondsOf(delta.clusterSeconds),
      cell: ({ row }) => <Seconds value={row.original.delta.clusterSeconds} isSigned />,
      size: 180,
      meta: { align: 'right' },
    },
  ];
  return (
    <DataTable
      label={t('chart.title')}
      rows={lines}
      columns={columns}
      idOf={({ position }) => position}
      prefix="lines."
      isPlain
    />
  );
}
