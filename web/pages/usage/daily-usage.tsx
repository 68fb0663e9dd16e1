import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type AccountUsage, dailyUsageQuery, type UsageQuestion } from '../../data/usage.ts';
import { BarChart } from '../../ui/bar-chart.tsx';
import { ChartCard } from '../../ui/chart-card.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { useUsageColumns } from '../../ui/usage-columns.tsx';

type Day = NonNullable<AccountUsage['days']>[number];

const HEIGHT = 240;

/** The clusters that were billed on each UTC day of the period, by type. */
export function DailyUsage({
  accountId,
  question,
}: {
  readonly accountId: string;
  readonly question: UsageQuestion;
}) {
  const query = useQuery(dailyUsageQuery(accountId, question));
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={1} height={HEIGHT + 70} />}>
      {({ days = [], byType }) => <Days days={days} types={byType.map(({ clusterType }) => clusterType)} />}
    </Loaded>
  );
}

function Days({
  days,
  types,
}: {
  readonly days: readonly Day[];
  readonly types: readonly (string | null)[];
}) {
  const { t } = useTranslation('usage');
  const nameOf = (type: string | null) => type ?? t('common:measure.noType');
  const countOf = ({ byType }: Day, type: string | null) =>
    byType.find(({ clusterType }) => clusterType === type)?.billableClusters ?? 0;
  const data = days.map((day) => ({
    date: String(Number(day.date.slice(8))),
    ...Object.fromEntries(types.map((type, i) => [`type${i}`, countOf(day, type)])),
  }));
  const series = types.map((type, i) => ({ name: `type${i}`, label: nameOf(type) }));
  const { billable, time } = useUsageColumns<Day>();
  const columns: Columns<Day> = [
    { id: 'date', header: t('days.date'), accessorKey: 'date', size: 130 },
    { ...billable, size: 140 },
    time,
  ];
  const csv = () => [
    ['date', 'billableClusters', 'clusterSeconds', ...types.map(nameOf)],
    ...days.map((day) => [
      day.date,
      String(day.usage.billableClusters),
      day.usage.clusterSeconds,
      ...types.map((type) => String(countOf(day, type))),
    ]),
  ];
  return (
    <ChartCard
      title={t('days.title')}
      name="days"
      height={HEIGHT}
      note={t('common:chart.billedDays')}
      chart={<BarChart data={data} by="date" series={series} height={HEIGHT} label={t('days.label')} />}
      table={
        <DataTable
          label={t('days.title')}
          rows={days}
          columns={columns}
          idOf={({ date }) => date}
          prefix="days."
          isPlain
        />
      }
      csv={csv}
    />
  );
}
