import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { accountUsageQuery, type Usage } from '../../data/usage.ts';
import { BarChart } from '../../ui/bar-chart.tsx';
import { ChartCard } from '../../ui/chart-card.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { monthAfter, monthName, monthOf } from '../../ui/months.ts';
import { PageLink } from '../../ui/page-link.tsx';
import { Failed, LinesSkeleton, Outdated } from '../../ui/states.tsx';
import { useUsageColumns } from '../../ui/usage-columns.tsx';

const MONTHS = 12;
const HEIGHT = 220;

/** The usage of a month. */
interface Month {
  readonly period: string;
  readonly usage: Usage;
}

/** The clusters that were billable in each of the last twelve months. */
export function Year({ accountId }: { readonly accountId: string }) {
  const current = monthOf(Date.now());
  const periods = Array.from({ length: MONTHS }, (_, i) => monthAfter(current, i + 1 - MONTHS));
  const queries = useQueries({ queries: periods.map((period) => accountUsageQuery(accountId, { period })) });
  const failed = queries.find(({ error, data }) => error !== null && data === undefined);
  if (failed !== undefined)
    return (
      <Failed
        error={failed.error}
        onRetry={() => {
          for (const query of queries) if (query.data === undefined) void query.refetch();
        }}
      />
    );
  const months = queries.flatMap(({ data }, i) =>
    data === undefined ? [] : [{ period: periods[i] ?? '', usage: data.usage }],
  );
  if (months.length < MONTHS) return <LinesSkeleton lines={1} height={HEIGHT + 70} />;
  return (
    <>
      <Outdated queries={queries} />
      <Months accountId={accountId} months={months} />
    </>
  );
}

function Months({ accountId, months }: { readonly accountId: string; readonly months: readonly Month[] }) {
  const { t, i18n } = useTranslation('account');
  const short = new Intl.DateTimeFormat(i18n.language, { month: 'short', year: '2-digit', timeZone: 'UTC' });
  const { billable, time } = useUsageColumns<Month>();
  const columns: Columns<Month> = [
    {
      id: 'period',
      header: t('common:pick.period'),
      accessorKey: 'period',
      size: 170,
      cell: ({ row: { original } }) => (
        <PageLink to="/usage" search={{ account: accountId, period: original.period }}>
          {monthName(original.period, i18n.language)}
        </PageLink>
      ),
    },
    billable,
    time,
  ];
  return (
    <ChartCard
      title={t('year.title')}
      name="year"
      height={HEIGHT}
      chart={
        <BarChart
          data={months.map(({ period, usage }) => ({
            month: short.format(new Date(`${period}-01T00:00:00Z`)),
            billable: usage.billableClusters,
          }))}
          by="month"
          series={[{ name: 'billable', label: t('common:measure.billableClusters') }]}
          height={HEIGHT}
          label={t('year.label')}
        />
      }
      table={
        <DataTable
          label={t('year.title')}
          rows={months}
          columns={columns}
          idOf={({ period }) => period}
          prefix="year."
          initialSort="-period"
          isPlain
        />
      }
      csv={() => [
        ['period', 'billableClusters', 'clusterSeconds'],
        ...months.map(({ period, usage }) => [period, String(usage.billableClusters), usage.clusterSeconds]),
      ]}
    />
  );
}
