import { Anchor, Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCaller, useMay } from '../../data/caller.ts';
import { allClusters, type Cluster, clusterListQuery } from '../../data/clusters.ts';
import { useLiveEvents } from '../../data/live.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { LastSeen } from '../../ui/last-seen.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { CLUSTER_STATES, StateMark } from '../../ui/state-mark.tsx';
import { Empty, LinesSkeleton, Loaded, NothingMatches } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { DeleteDialog } from '../cluster/lazy-dialogs.tsx';

/** Time without typing after which the filter is applied, in milliseconds. */
const TYPING_MS = 250;
/** Longest list, in pages, that is read again when something has happened; of a longer one the viewer decides. */
const MAX_LIVE_PAGES = 1;
/** How long events are collected before a list is read again, in milliseconds. */
const COLLECT_MS = 2_000;

/** The list of what is billed. */
export default function ClustersPage() {
  const { t } = useTranslation('clusters');
  const { role } = useCaller();
  const [url, setUrl] = useUrlState();
  const filters = {
    q: url['q'],
    status: url['status'],
    accountId: url['account'],
    clusterType: url['type'],
  };
  const asked = { ...filters, sort: url['sort'] ?? 'name' };
  const query = useInfiniteQuery(clusterListQuery(asked));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const hasChanged = useChanges(query.data?.pages.length ?? 0);
  const [deleted, setDeleted] = useState<Cluster>();
  const columns = useColumns(setDeleted);
  const isFiltered = Object.values(filters).some((value) => value !== undefined && value !== '');
  const clear = () => setUrl({ q: undefined, status: undefined, account: undefined, type: undefined });

  const tools = (
    <>
      <Filter name="q" label={t('search')} />
      <NativeSelect
        aria-label={t('column.status')}
        value={url['status'] ?? ''}
        onChange={({ currentTarget: { value } }) => setUrl({ status: value === '' ? undefined : value })}
        data={[
          { value: '', label: t('everyState') },
          ...CLUSTER_STATES.map((status) => ({ value: status, label: t(`common:clusterState.${status}`) })),
        ]}
      />
      {role !== 'customer' && <Filter name="account" label={t('column.account')} />}
      <Filter name="type" label={t('column.type')} width={140} />
      {hasChanged.value && (
        <Button variant="light" size="sm" onClick={hasChanged.show}>
          {t('showChanges')}
        </Button>
      )}
    </>
  );
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} />
      <Loaded query={query} skeleton={<LinesSkeleton lines={14} height={36} />}>
        {({ pages }) => {
          const rows = pages.length === 1 ? (pages[0]?.items ?? []) : pages.flatMap(({ items }) => items);
          return (
            <>
              <DataTable
                label={t('title')}
                rows={rows}
                columns={columns}
                idOf={idOf}
                isSortedByServer
                initialSort="name"
                filters={tools}
                total={pages[0]?.total}
                onEnd={hasNextPage ? more : undefined}
                isLoadingMore={isFetchingNextPage}
                loadAll={hasNextPage ? () => allClusters(asked) : undefined}
              />
              {rows.length === 0 &&
                (isFiltered ? (
                  <NothingMatches onClear={clear} />
                ) : (
                  <Empty title={t('empty')}>{t('emptyDetail')}</Empty>
                ))}
            </>
          );
        }}
      </Loaded>
      {deleted !== undefined && <DeleteDialog cluster={deleted} onClose={() => setDeleted(undefined)} />}
    </>
  );
}

const idOf = ({ clusterId }: Cluster) => clusterId;

interface FilterProps {
  readonly name: string;
  readonly label: string;
  /** In pixels; by default that of a text field. */
  readonly width?: number;
}

/** A text filter that is kept in the address, applied shortly after the last key. */
function Filter({ name, label, width }: FilterProps) {
  const [url, setUrl] = useUrlState();
  const applied = url[name] ?? '';
  const [typed, setTyped] = useState(applied);
  const [last, setLast] = useState(applied);
  // The address changed otherwise: by a link, or because the filters were cleared.
  if (applied !== last) {
    setLast(applied);
    setTyped(applied);
  }
  const apply = useDebouncedCallback((value: string) => {
    setLast(value);
    setUrl({ [name]: value === '' ? undefined : value });
  }, TYPING_MS);
  return (
    <TextInput
      type="search"
      w={width}
      aria-label={label}
      placeholder={label}
      value={typed}
      onChange={({ currentTarget: { value } }) => {
        setTyped(value);
        apply(value);
      }}
    />
  );
}

/** Reads a short list again when something has happened, and says of a long one that it has changed. */
function useChanges(pages: number) {
  const client = useQueryClient();
  const [value, setValue] = useState(false);
  const show = useCallback(() => {
    setValue(false);
    void client.resetQueries({ queryKey: ['clusters', 'list'] });
  }, [client]);
  const readAgain = useDebouncedCallback(
    () => void client.invalidateQueries({ queryKey: ['clusters', 'list'] }),
    {
      delay: COLLECT_MS,
      maxWait: COLLECT_MS,
    },
  );
  useLiveEvents(() => {
    if (pages <= MAX_LIVE_PAGES) readAgain();
    else setValue(true);
  });
  return { value, show };
}

function useColumns(onDelete: (cluster: Cluster) => void): Columns<Cluster> {
  const { t } = useTranslation('clusters');
  const mayDelete = useMay('customer');
  const { role } = useCaller();
  return useMemo(() => {
    const account: Columns<Cluster> =
      role === 'customer'
        ? []
        : [
            {
              id: 'accountId',
              header: t('column.account'),
              accessorFn: ({ accountId }) => accountId ?? '',
              cell: ({ row: { original } }) => <span className="name">{original.accountId}</span>,
              size: 140,
            },
          ];
    const actions: Columns<Cluster> = mayDelete
      ? [
          {
            id: 'actions',
            header: '',
            enableSorting: false,
            size: 78,
            cell: ({ row: { original } }) =>
              original.deletedAt === null &&
              original.status !== 'orphan' &&
              original.status !== 'voided' && (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  color="gray"
                  c="inherit"
                  onClick={() => onDelete(original)}
                  aria-label={t('deleteNamed', { name: original.name ?? original.clusterId })}
                >
                  {t('delete')}
                </Button>
              ),
          },
        ]
      : [];
    const columns: Columns<Cluster> = [
      {
        id: 'name',
        header: t('column.name'),
        accessorFn: ({ name }) => name ?? '',
        size: 150,
        cell: ({ row: { original } }) => <NameCell cluster={original} />,
      },
      ...account,
      {
        id: 'status',
        header: t('column.status'),
        accessorFn: ({ status }) => t(`common:clusterState.${status}`),
        size: 114,
        cell: ({ row: { original } }) => <StateMark status={original.status} />,
      },
      {
        id: 'billedSince',
        header: t('column.billedSince'),
        accessorFn: ({ billedSince }) => billedSince ?? '',
        size: 186,
        cell: ({ row: { original } }) =>
          original.billedSince !== null && <Instant at={original.billedSince} />,
      },
      {
        id: 'billedThisPeriod',
        header: t('column.billedThisPeriod'),
        accessorFn: ({ billedThisPeriod }) => billedThisPeriod?.clusterSeconds ?? '',
        size: 217,
        meta: { align: 'right' },
        cell: ({ row: { original } }) =>
          original.billedThisPeriod !== undefined && (
            <BilledTime seconds={original.billedThisPeriod.clusterSeconds} />
          ),
      },
      {
        id: 'lastSeen',
        header: t('column.lastSeen'),
        accessorFn: ({ lastSeen }) => lastSeen ?? '',
        enableSorting: false,
        size: 136,
        cell: ({ row }) => <LastSeen cluster={row.original} />,
      },
      {
        id: 'clusterType',
        header: t('column.type'),
        accessorFn: ({ clusterType }) => clusterType ?? '',
        enableSorting: false,
        size: 160,
        meta: { isOptional: true },
      },
      {
        id: 'cloudProvider',
        header: t('column.provider'),
        accessorFn: ({ cloudProvider }) => cloudProvider ?? '',
        enableSorting: false,
        size: 120,
        meta: { isOptional: true },
      },
      {
        id: 'region',
        header: t('column.region'),
        accessorFn: ({ region }) => region ?? '',
        enableSorting: false,
        size: 140,
        meta: { isOptional: true },
      },
      {
        id: 'registeredAt',
        header: t('column.registeredAt'),
        accessorFn: ({ registeredAt }) => registeredAt ?? '',
        size: 190,
        meta: { isOptional: true },
        cell: ({ row: { original } }) =>
          original.registeredAt !== null && <Instant at={original.registeredAt} />,
      },
      {
        id: 'clusterId',
        header: t('column.id'),
        accessorKey: 'clusterId',
        size: 240,
        meta: { isOptional: true },
      },
      ...actions,
    ];
    return columns;
  }, [t, role, mayDelete, onDelete]);
}

function NameCell({ cluster: { clusterId, name } }: { readonly cluster: Cluster }) {
  return (
    <Anchor
      component={Link}
      to={'/clusters/$clusterId' as never}
      params={{ clusterId } as never}
      preload={false}
      size="sm"
      className="name"
      title={name === null ? clusterId : `${name}\n${clusterId}`}
    >
      {name ?? clusterId}
    </Anchor>
  );
}
