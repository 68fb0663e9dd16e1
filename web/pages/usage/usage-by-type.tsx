import { Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useCaller, useMay } from '../../data/caller.ts';
import type { AccountUsage } from '../../data/usage.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime, Count, millisecondsOf } from '../../ui/figures.tsx';
import { PageLink } from '../../ui/page-link.tsx';

type TypeUsage = AccountUsage['byType'][number];

/** The figure for each cluster type, each a way to the list of its clusters. */
export function UsageByType({
  accountId,
  byType,
}: {
  readonly accountId: string;
  readonly byType: readonly TypeUsage[];
}) {
  const { t } = useTranslation('usage');
  const mayList = useMay('auditor', 'customer');
  const { role } = useCaller();
  // A customer has the clusters of one account only, and no filter by account.
  const account = role === 'customer' ? undefined : accountId;
  const columns: Columns<TypeUsage> = [
    {
      id: 'type',
      header: t('common:measure.clusterType'),
      accessorFn: ({ clusterType }) => clusterType ?? t('common:measure.noType'),
      size: 200,
      cell: ({ getValue, row: { original } }) => {
        const name = <span className="name">{String(getValue())}</span>;
        if (original.clusterType === null || !mayList) return name;
        return (
          <PageLink to="/clusters" search={{ account, type: original.clusterType }}>
            {name}
          </PageLink>
        );
      },
    },
    {
      id: 'billable',
      header: t('common:measure.billableClusters'),
      accessorKey: 'billableClusters',
      cell: ({ row }) => <Count value={row.original.billableClusters} />,
      size: 140,
      meta: { align: 'right' },
    },
    {
      id: 'time',
      header: t('common:measure.clusterSeconds'),
      accessorFn: ({ clusterSeconds }) => millisecondsOf(clusterSeconds),
      cell: ({ row }) => <BilledTime seconds={row.original.clusterSeconds} />,
      size: 220,
      meta: { align: 'right' },
    },
    {
      id: 'peak',
      header: t('common:measure.peakClusters'),
      accessorKey: 'peakClusters',
      size: 130,
      meta: { align: 'right' },
    },
  ];
  return (
    <section aria-labelledby="by-type">
      <Title order={2} id="by-type" mb="xs">
        {t('byType')}
      </Title>
      <DataTable
        label={t('byType')}
        rows={byType}
        columns={columns}
        idOf={({ clusterType }) => clusterType ?? ''}
        prefix="type."
        isPlain
      />
    </section>
  );
}
