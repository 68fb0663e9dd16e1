import { useTranslation } from 'react-i18next';
import type { Account } from '../../data/accounts.ts';
import { ChartCard } from '../../ui/chart-card.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Count } from '../../ui/figures.tsx';
import { Icon } from '../../ui/icons.tsx';

/** The clusters of a type that are billed now, and how many the plan allows. */
interface Use {
  /** `*` for all types together, null for clusters without a type. */
  readonly type: string | null;
  readonly billed: number;
  readonly limit: number | undefined;
}

const ALL = '*';

/** Returns what is used of each type and of each limit: all types together first. */
function usesOf({ billedNow, billedByType, limits = {} }: Account): readonly Use[] {
  const billed = new Map<string | null, number>([
    [ALL, billedNow],
    ...billedByType.map(({ clusterType, billed: count }) => [clusterType, count] as const),
  ]);
  for (const type of Object.keys(limits)) if (!billed.has(type)) billed.set(type, 0);
  return Array.from(billed, ([type, count]) => ({
    type,
    billed: count,
    limit: type === null ? undefined : limits[type],
  }));
}

/** The clusters that are billed now, by cluster type, against the limits of the plan. */
export function Limits({ account }: { readonly account: Account }) {
  const { t } = useTranslation('account');
  const uses = usesOf(account);
  const nameOf = (type: string | null) =>
    type === ALL ? t('limits.all') : (type ?? t('common:measure.noType'));
  const scale = Math.max(1, ...uses.map(({ billed, limit = 0 }) => Math.max(billed, limit)));
  const columns: Columns<Use> = [
    {
      id: 'type',
      header: t('common:measure.clusterType'),
      accessorFn: ({ type }) => nameOf(type),
      size: 220,
    },
    {
      id: 'billed',
      header: t('limits.billed'),
      accessorKey: 'billed',
      cell: ({ row }) => <Count value={row.original.billed} />,
      size: 120,
      meta: { align: 'right' },
    },
    {
      id: 'limit',
      header: t('limits.limit'),
      accessorFn: ({ limit }) => limit ?? '',
      cell: ({ row: { original } }) =>
        original.limit === undefined ? t('limits.none') : <Count value={original.limit} />,
      size: 120,
      meta: { align: 'right' },
    },
    {
      id: 'left',
      header: t('limits.left'),
      accessorFn: ({ limit, billed }) => (limit === undefined ? '' : Math.max(0, limit - billed)),
      size: 120,
      meta: { align: 'right' },
    },
  ];
  return (
    <ChartCard
      title={t('limits.title')}
      name="limits"
      height={uses.length * 44}
      chart={
        <ul className="limit-bars">
          {uses.map((use) => (
            <LimitBar key={use.type ?? ''} use={use} name={nameOf(use.type)} scale={scale} />
          ))}
        </ul>
      }
      table={
        <DataTable
          label={t('limits.title')}
          rows={uses}
          columns={columns}
          idOf={({ type }) => type ?? ''}
          prefix="limits."
          isPlain
        />
      }
      csv={() => [
        ['clusterType', 'billed', 'limit'],
        ...uses.map(({ type, billed, limit }) => [type ?? '', String(billed), String(limit ?? '')]),
      ]}
    />
  );
}

interface LimitBarProps {
  readonly use: Use;
  readonly name: string;
  /** Count that is as wide as the chart. */
  readonly scale: number;
}

/** A bar of what is billed, in a frame of what is allowed. */
function LimitBar({ use: { type, billed, limit }, name, scale }: LimitBarProps) {
  const { t } = useTranslation('account');
  const isReached = limit !== undefined && billed >= limit;
  const width = (count: number) => `${(count / scale) * 100}%`;
  return (
    <li data-all={type === ALL || undefined}>
      <span className="limit-name name">{name}</span>
      <span className="limit-track">
        {limit !== undefined && <span className="limit-frame" style={{ width: width(limit) }} />}
        <span className="limit-fill" data-reached={isReached} style={{ width: width(billed) }} />
      </span>
      <span className="limit-text">
        {limit === undefined
          ? t('limits.of', { billed })
          : t('limits.ofLimit', { billed, limit, left: Math.max(0, limit - billed) })}
        {isReached && (
          <span className="limit-state" data-reached>
            <Icon name="warning" size={16} />
            {t('limits.reached')}
          </span>
        )}
      </span>
    </li>
  );
}
