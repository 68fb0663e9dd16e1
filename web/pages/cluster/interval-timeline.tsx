import { NativeSelect, VisuallyHidden } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { ClusterBilling, Fact } from '../../data/clusters.ts';
import { ChartCard } from '../../ui/chart-card.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { useNow, utcText } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { secondsText } from './billed-time.ts';
import { factName } from './fact-names.ts';

type Interval = ClusterBilling['intervals'][number];

const DAY_MS = 86_400_000;
const HEIGHT = 132;
/** Parts of the history that can be shown, in days. */
const RANGES = ['7', '30', '90'] as const;
const TICKS = 6;

/** The billed and unbilled intervals of a cluster, to scale, with the facts on them. */
export function IntervalTimeline({
  billing,
  facts,
}: {
  readonly billing: ClusterBilling;
  readonly facts: readonly Fact[];
}) {
  const { t } = useTranslation('cluster');
  const [url, setUrl] = useUrlState();
  const now = useNow(10_000);
  const { intervals } = billing;
  const range = RANGES.find((days) => days === url['range']);
  const first = Math.min(
    ...intervals.map(({ from }) => Date.parse(from)),
    ...facts.map(({ time }) => Date.parse(time)),
    now - DAY_MS / 24,
  );
  const last = Math.max(now, ...facts.map(({ time }) => Date.parse(time)));
  const from = range === undefined ? first : Math.max(first, now - Number(range) * DAY_MS);
  const columns = useIntervalColumns(now);
  const csv = () => [
    ['from', 'to', 'accountId', 'clusterType', 'openedBy', 'closedBy'],
    ...intervals.map((interval) => [
      interval.from,
      interval.to ?? '',
      interval.accountId,
      interval.clusterType ?? '',
      interval.openedBy,
      interval.closedBy ?? '',
    ]),
  ];
  return (
    <ChartCard
      title={t('timeline.title')}
      name="timeline"
      height={HEIGHT}
      chart={
        <>
          <NativeSelect
            size="xs"
            w="fit-content"
            aria-label={t('timeline.range')}
            value={range ?? ''}
            onChange={({ currentTarget: { value } }) => setUrl({ range: value === '' ? undefined : value })}
            data={[
              { value: '', label: t('timeline.all') },
              ...RANGES.map((days) => ({ value: days, label: t('timeline.days', { count: Number(days) }) })),
            ]}
            mb="sm"
          />
          <Bar intervals={intervals} facts={facts} from={from} to={last} now={now} />
        </>
      }
      table={
        <DataTable
          label={t('timeline.title')}
          rows={intervals}
          columns={columns}
          idOf={({ openedBy, from: start }) => `${openedBy} ${start}`}
          prefix="intervals."
          isPlain
        />
      }
      csv={csv}
    />
  );
}

interface BarProps {
  readonly intervals: readonly Interval[];
  readonly facts: readonly Fact[];
  /** The shown window, in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

function Bar({ intervals, facts, from, to, now }: BarProps) {
  const { t, i18n } = useTranslation('cluster');
  const percent = (at: number) => `${((Math.min(Math.max(at, from), to) - from) / (to - from)) * 100}%`;
  const shown = facts.filter(({ time }) => Date.parse(time) >= from);
  const format = new Intl.DateTimeFormat(i18n.language, {
    month: 'short',
    day: 'numeric',
    timeZone: 'UTC',
    ...(to - from > 300 * DAY_MS && { year: 'numeric' }),
    ...(to - from < 3 * DAY_MS && { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  });
  const ticks = Array.from({ length: TICKS }, (_, i) => from + ((to - from) * i) / (TICKS - 1));
  return (
    <div className="timeline">
      <div className="timeline-bar" role="img" aria-label={t('timeline.label', { count: intervals.length })}>
        {intervals.map((interval) => {
          const start = Date.parse(interval.from);
          const end = interval.to === null ? now : Date.parse(interval.to);
          return end <= from ? null : (
            <span
              key={`${interval.openedBy} ${interval.from}`}
              className="timeline-billed"
              style={{ insetInlineStart: percent(start), width: `calc(${percent(end)} - ${percent(start)})` }}
              title={`${utcText(start)} – ${interval.to === null ? t('timeline.now') : utcText(end)}`}
            />
          );
        })}
      </div>
      <ul className="timeline-facts" aria-label={t('timeline.facts')}>
        {shown.map((fact) => (
          <li key={fact.ledgereventid} style={{ insetInlineStart: percent(Date.parse(fact.time)) }}>
            <a href={`#${fact.ledgereventid}`} title={`${factName(t, fact.type)}\n${utcText(fact.time)}`}>
              <VisuallyHidden>
                {t('timeline.fact', { type: factName(t, fact.type), at: utcText(fact.time) })}
              </VisuallyHidden>
            </a>
          </li>
        ))}
      </ul>
      <div className="timeline-ticks" aria-hidden="true">
        {ticks.map((at) => (
          <span key={at}>{format.format(at)}</span>
        ))}
      </div>
      <div className="timeline-legend">
        <span className="timeline-key" data-billed /> {t('timeline.billed')}
        <span className="timeline-key" /> {t('timeline.notBilled')}
        <span className="timeline-utc">{t('timeline.utc')}</span>
      </div>
    </div>
  );
}

function useIntervalColumns(now: number): Columns<Interval> {
  const { t } = useTranslation('cluster');
  return useMemo(() => {
    const lengthOf = ({ from, to }: Interval) => (to === null ? now : Date.parse(to)) - Date.parse(from);
    const columns: Columns<Interval> = [
      {
        id: 'from',
        header: t('interval.from'),
        accessorKey: 'from',
        size: 190,
        cell: ({ row }) => <span className="figure">{utcText(row.original.from)}</span>,
      },
      {
        id: 'to',
        header: t('interval.to'),
        accessorFn: ({ to }) => to ?? '',
        size: 190,
        cell: ({ row: { original } }) => (
          <span className="figure">{original.to === null ? t('timeline.now') : utcText(original.to)}</span>
        ),
      },
      {
        id: 'length',
        header: t('interval.length'),
        accessorFn: lengthOf,
        size: 200,
        meta: { align: 'right' },
        cell: ({ row }) => <BilledTime seconds={secondsText(Math.max(0, lengthOf(row.original)))} />,
      },
      {
        id: 'account',
        header: t('attributes.accountId'),
        accessorKey: 'accountId',
        size: 160,
        cell: ({ row }) => <span className="name">{row.original.accountId}</span>,
      },
      {
        id: 'type',
        header: t('attributes.clusterType'),
        accessorFn: ({ clusterType }) => clusterType ?? '',
        size: 150,
      },
    ];
    return columns;
  }, [t, now]);
}
