import { useTranslation } from 'react-i18next';
import type { Overview } from '../../data/overview.ts';
import { BarChart } from '../../ui/bar-chart.tsx';
import { ChartCard } from '../../ui/chart-card.tsx';
import type { Columns } from '../../ui/data-table.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { LazyDataTable } from '../../ui/lazy-data-table.tsx';

type Day = Overview['days'][number];

const HEIGHT = 260;
/** Number of cluster types that have a color of their own; the others are shown together. */
const MAX_TYPES = 5;

/** Returns the types with the most clusters, in order of their sums, and whether there are more. */
function greatestTypes(days: readonly Day[]): {
  readonly types: readonly (string | null)[];
  readonly isMore: boolean;
} {
  const sums = new Map<string | null, number>();
  for (const { byType } of days)
    for (const { clusterType, billableClusters } of byType)
      sums.set(clusterType, (sums.get(clusterType) ?? 0) + billableClusters);
  const types = [...sums].sort(([, a], [, b]) => b - a).map(([type]) => type);
  return { types: types.slice(0, MAX_TYPES), isMore: types.length > MAX_TYPES };
}

/** The clusters that were billable on each of the last days, by type. */
export function BillableDays({ days }: { readonly days: readonly Day[] }) {
  const { t, i18n } = useTranslation('overview');
  const { types, isMore } = greatestTypes(days);
  const nameOf = (type: string | null) => type ?? t('days.noType');
  const countOf = ({ byType }: Day, type: string | null) =>
    byType.find(({ clusterType }) => clusterType === type)?.billableClusters ?? 0;
  const othersOf = (day: Day) =>
    day.byType
      .filter(({ clusterType }) => !types.includes(clusterType))
      .reduce((sum, { billableClusters }) => sum + billableClusters, 0);
  const format = new Intl.DateTimeFormat(i18n.language, { month: 'short', day: 'numeric', timeZone: 'UTC' });
  const data = days.map((day) => ({
    date: format.format(new Date(day.date)),
    ...Object.fromEntries(types.map((type, i) => [`type${i}`, countOf(day, type)])),
    ...(isMore && { others: othersOf(day) }),
  }));
  const series = [
    ...types.map((type, i) => ({ name: `type${i}`, label: nameOf(type) })),
    ...(isMore ? [{ name: 'others', label: t('days.others') }] : []),
  ];
  const columns: Columns<Day> = [
    { id: 'date', header: t('days.date'), accessorKey: 'date', size: 120 },
    {
      id: 'billable',
      header: t('days.billable'),
      accessorFn: ({ usage }) => usage.billableClusters,
      size: 120,
      meta: { align: 'right' },
    },
    ...types.map((type, i): Columns<Day>[number] => ({
      id: `type${i}`,
      header: nameOf(type),
      accessorFn: (day) => countOf(day, type),
      size: 120,
      meta: { align: 'right' },
    })),
    {
      id: 'time',
      header: t('days.time'),
      accessorFn: ({ usage }) => Number(usage.clusterSeconds),
      cell: ({ row }) => <BilledTime seconds={row.original.usage.clusterSeconds} />,
      size: 200,
      meta: { align: 'right' },
    },
  ];
  const csv = () => [
    [
      'date',
      'billableClusters',
      'clusterSeconds',
      ...types.map(nameOf),
      ...(isMore ? [t('days.others')] : []),
    ],
    ...days.map((day) => [
      day.date,
      String(day.usage.billableClusters),
      day.usage.clusterSeconds,
      ...types.map((type) => String(countOf(day, type))),
      ...(isMore ? [String(othersOf(day))] : []),
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
        <LazyDataTable
          label={t('days.title')}
          rows={days}
          columns={columns}
          idOf={({ date }) => date}
          prefix="days."
          initialSort="-date"
          isPlain
        />
      }
      csv={csv}
    />
  );
}
