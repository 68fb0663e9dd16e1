import { NativeSelect, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type Cluster, clusterListQuery } from '../../data/clusters.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Empty, Loaded, NothingMatches } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';

const STATUSES = [
  'billed',
  'stopped',
  'pending',
  'free',
  'deleted',
  'orphan',
] as const satisfies readonly Cluster['status'][];

/** The list of clusters. */
export default function ClustersPage() {
  const { t } = useTranslation('clusters');
  const [url, setUrl] = useUrlState();
  const query = useInfiniteQuery(
    clusterListQuery({ q: url.q, status: url.status, sort: url.sort ?? 'name' }),
  );
  const columns: Columns<Cluster> = [
    {
      id: 'name',
      header: t('column.name'),
      accessorFn: ({ name }) => name ?? '',
      cell: ({ row }) => <span className="name">{row.original.name}</span>,
    },
    { id: 'status', header: t('column.status'), accessorKey: 'status', enableSorting: false },
    {
      id: 'billedSince',
      header: t('column.billedSince'),
      accessorKey: 'billedSince',
      enableSorting: false,
      cell: ({ row }) => row.original.billedSince !== null && <Instant at={row.original.billedSince} />,
    },
  ];
  const filters = (
    <>
      <TextInput
        aria-label={t('search')}
        placeholder={t('search')}
        defaultValue={url.q ?? ''}
        onChange={(event) => setUrl({ q: event.currentTarget.value })}
      />
      <NativeSelect
        aria-label={t('column.status')}
        value={url.status ?? ''}
        onChange={(event) => setUrl({ status: event.currentTarget.value })}
        data={['', ...STATUSES]}
      />
    </>
  );
  return (
    <>
      <PageHeader title={t('title')} />
      <Loaded query={query}>
        {({ pages }) => {
          const rows = pages.flatMap(({ items }) => items);
          return (
            <>
              <DataTable
                label={t('title')}
                rows={rows}
                columns={columns}
                idOf={({ clusterId }) => clusterId}
                isSortedByServer
                filters={filters}
                onEnd={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
                isLoadingMore={query.isFetchingNextPage}
              />
              {rows.length === 0 &&
                (url.q === undefined && url.status === undefined ? (
                  <Empty title={t('empty')} />
                ) : (
                  <NothingMatches onClear={() => setUrl({ q: undefined, status: undefined })} />
                ))}
            </>
          );
        }}
      </Loaded>
    </>
  );
}
