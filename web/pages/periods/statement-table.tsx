import { useTranslation } from 'react-i18next';
import type { Statement } from '../../data/usage.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime, Count, millisecondsOf, Seconds } from '../../ui/figures.tsx';
import { PageLink } from '../../ui/page-link.tsx';

interface StatementTableProps {
  readonly label: string;
  readonly statements: readonly Statement[];
  /** Whether the statements exist: each links to its page. */
  readonly isClosed: boolean;
  readonly total?: number | undefined;
  readonly onEnd?: (() => void) | undefined;
  readonly isLoadingMore?: boolean;
  readonly loadAll?: (() => Promise<readonly Statement[]>) | undefined;
}

/** Statements of a period: what each account is charged, and what of it is adjustments. */
export function StatementTable({ label, statements, isClosed, ...loading }: StatementTableProps) {
  const { t } = useTranslation('periods');
  const columns: Columns<Statement> = [
    {
      id: 'account',
      header: t('common:pick.account'),
      accessorKey: 'accountId',
      size: 220,
      cell: ({ row: { original } }) => (
        <PageLink
          to="/usage"
          search={{
            account: original.accountId,
            period: original.period,
            ...(isClosed && { tab: 'statement' }),
          }}
        >
          <span className="name">{original.accountId}</span>
        </PageLink>
      ),
    },
    {
      id: 'billable',
      header: t('table.billable'),
      accessorFn: ({ usage }) => usage.billableClusters,
      cell: ({ row }) => <Count value={row.original.usage.billableClusters} />,
      size: 130,
      meta: { align: 'right' },
    },
    {
      id: 'usage',
      header: t('table.usage'),
      accessorFn: ({ usage }) => millisecondsOf(usage.clusterSeconds),
      cell: ({ row }) => <BilledTime seconds={row.original.usage.clusterSeconds} />,
      size: 200,
      meta: { align: 'right', csv: ({ usage }) => usage.clusterSeconds },
    },
    {
      id: 'adjustments',
      header: t('table.adjustments'),
      accessorFn: ({ adjustments }) => adjustments.length,
      cell: ({ row }) => <Count value={row.original.adjustments.length} />,
      size: 130,
      meta: { align: 'right' },
    },
    {
      id: 'totalClusters',
      header: t('table.totalClusters'),
      accessorFn: ({ total }) => total.billableClusters,
      cell: ({ row }) => <Count value={row.original.total.billableClusters} />,
      size: 130,
      meta: { align: 'right' },
    },
    {
      id: 'total',
      header: t('table.total'),
      accessorFn: ({ total }) => millisecondsOf(total.clusterSeconds),
      cell: ({ row }) => <Seconds value={row.original.total.clusterSeconds} />,
      size: 190,
      meta: { align: 'right', csv: ({ total }) => total.clusterSeconds },
    },
    {
      id: 'statementId',
      header: t('table.id'),
      accessorKey: 'statementId',
      enableSorting: false,
      size: 290,
      meta: { isOptional: true },
    },
  ];
  return (
    <DataTable
      label={label}
      rows={statements}
      columns={columns}
      idOf={({ accountId }) => accountId}
      prefix="statements."
      {...loading}
    />
  );
}
