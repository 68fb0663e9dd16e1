import { Title } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { periodsQuery } from '../../data/periods.ts';
import { RequestFailed } from '../../data/problem.ts';
import { type Statement, statementQuery } from '../../data/usage.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Count, millisecondsOf, Seconds } from '../../ui/figures.tsx';
import { monthAfter, monthName, monthOf } from '../../ui/months.ts';
import { PageLink } from '../../ui/page-link.tsx';
import { Empty, Failed, LinesSkeleton, Outdated } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';

const MONTHS = 12;

/** The statements of an account for the last twelve closed periods. */
export function Statements({ accountId }: { readonly accountId: string }) {
  const { t } = useTranslation('account');
  const mayCall = useMayCall();
  const known = useQuery({ ...periodsQuery, enabled: mayCall('listPeriods') });
  const current = monthOf(Date.now());
  const recent = Array.from({ length: MONTHS }, (_, i) => monthAfter(current, -1 - i));
  // A customer may not list periods, so each of the last months is asked for.
  const closed = mayCall('listPeriods')
    ? (known.data ?? []).filter(({ state }) => state === 'closed').map(({ period }) => period)
    : recent;
  const periods = closed.sort().slice(-MONTHS);
  const queries = useQueries({
    queries: periods.map((period) => ({
      ...statementQuery(accountId, period),
      // A statement never changes.
      meta: { isLive: false },
    })),
  });
  const isAbsent = (error: Error) => error instanceof RequestFailed && error.status === 404;
  const failed = [known, ...queries].find(
    ({ data, error }) => data === undefined && error !== null && !isAbsent(error),
  );
  const statements = queries.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const isLoading = (mayCall('listPeriods') && known.isPending) || queries.some(({ isPending }) => isPending);
  return (
    <section aria-labelledby="statements">
      <Title order={2} id="statements" mb="xs">
        {t('statements.title')}
      </Title>
      <Outdated queries={[known]} />
      {failed !== undefined ? (
        <Failed
          error={failed.error}
          onRetry={() => void Promise.all([known, ...queries].map((query) => query.refetch()))}
        />
      ) : isLoading ? (
        <LinesSkeleton lines={4} height={44} />
      ) : statements.length === 0 ? (
        <Empty title={t('statements.none')}>{t('statements.noneDetail')}</Empty>
      ) : (
        <StatementTable statements={statements} />
      )}
    </section>
  );
}

function StatementTable({ statements }: { readonly statements: readonly Statement[] }) {
  const { t, i18n } = useTranslation('account');
  const columns: Columns<Statement> = [
    {
      id: 'period',
      header: t('common:pick.period'),
      accessorKey: 'period',
      size: 170,
      cell: ({ row: { original } }) => (
        <PageLink
          to="/usage"
          search={{ account: original.accountId, period: original.period, tab: 'statement' }}
        >
          {monthName(original.period, i18n.language)}
        </PageLink>
      ),
    },
    {
      id: 'closedAt',
      header: t('statements.closed'),
      accessorFn: ({ closedAt }) => closedAt ?? '',
      size: 150,
      cell: ({ row: { original } }) =>
        original.closedAt !== undefined && <Instant at={original.closedAt} precision="day" />,
    },
    {
      id: 'billable',
      header: t('common:measure.billableClusters'),
      accessorFn: ({ total }) => total.billableClusters,
      cell: ({ row }) => <Count value={row.original.total.billableClusters} />,
      size: 150,
      meta: { align: 'right' },
    },
    {
      id: 'total',
      header: t('common:measure.seconds'),
      accessorFn: ({ total }) => millisecondsOf(total.clusterSeconds),
      cell: ({ row }) => <Seconds value={row.original.total.clusterSeconds} />,
      size: 190,
      meta: { align: 'right', csv: ({ total }) => total.clusterSeconds },
    },
    {
      id: 'adjustments',
      header: t('statements.adjustments'),
      accessorFn: ({ adjustments }) => adjustments.length,
      size: 130,
      meta: { align: 'right' },
    },
    {
      id: 'statementId',
      header: t('statements.id'),
      accessorKey: 'statementId',
      enableSorting: false,
      size: 290,
      meta: { isOptional: true },
    },
  ];
  return (
    <DataTable
      label={t('statements.title')}
      rows={statements}
      columns={columns}
      idOf={({ period }) => period}
      prefix="statements."
      initialSort="-period"
    />
  );
}
