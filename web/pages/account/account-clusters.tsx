import { Button, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { allClusters, type Cluster, clusterListQuery } from '../../data/clusters.ts';
import { transferCluster } from '../../data/corrections.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { StateMark } from '../../ui/state-mark.tsx';
import { Empty, LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { ChangeDialog } from '../cluster/lazy-dialogs.tsx';

/** The clusters of an account. Operators transfer them to another. */
export function AccountClusters({ accountId }: { readonly accountId: string }) {
  const { t } = useTranslation('account');
  const mayCall = useMayCall();
  const [moved, setMoved] = useState<Cluster>();
  const filter = { accountId, sort: 'name' };
  const query = useInfiniteQuery(clusterListQuery(filter));
  const actions: Columns<Cluster> = mayCall('transferCluster')
    ? [
        {
          id: 'actions',
          header: '',
          enableSorting: false,
          size: 120,
          cell: ({ row: { original } }) =>
            original.status !== 'deleted' && (
              <Button
                variant="default"
                size="compact-sm"
                aria-label={t('clusters.transferNamed', { name: original.name ?? original.clusterId })}
                onClick={() => setMoved(original)}
              >
                {t('clusters.transfer')}
              </Button>
            ),
        },
      ]
    : [];
  const columns: Columns<Cluster> = [
    {
      id: 'name',
      header: t('common:fact.cluster'),
      accessorFn: ({ name, clusterId }) => name ?? clusterId,
      enableSorting: false,
      size: 220,
      cell: ({ row: { original } }) => (
        <PageLink to="/clusters/$clusterId" params={{ clusterId: original.clusterId }}>
          <span className="name">{original.name ?? original.clusterId}</span>
          {original.name !== null && original.name !== original.clusterId && (
            <span className="account-cluster-id name">{original.clusterId}</span>
          )}
        </PageLink>
      ),
      meta: { csv: ({ clusterId }) => clusterId },
    },
    {
      id: 'state',
      header: t('clusters.state'),
      accessorFn: ({ status }) => t(`common:clusterState.${status}`),
      enableSorting: false,
      size: 130,
      cell: ({ row }) => <StateMark status={row.original.status} />,
    },
    {
      id: 'type',
      header: t('common:measure.clusterType'),
      accessorFn: ({ clusterType }) => clusterType ?? '',
      enableSorting: false,
      size: 180,
      cell: ({ getValue }) => <span className="name">{String(getValue())}</span>,
    },
    {
      id: 'since',
      header: t('clusters.since'),
      accessorFn: ({ billedSince }) => billedSince ?? '',
      enableSorting: false,
      size: 190,
      cell: ({ row: { original } }) => original.billedSince !== null && <Instant at={original.billedSince} />,
    },
    ...actions,
  ];
  return (
    <section aria-labelledby="clusters">
      <Title order={2} id="clusters" mb="xs">
        {t('clusters.title')}
      </Title>
      <Loaded query={query} skeleton={<LinesSkeleton lines={5} height={44} />}>
        {({ pages }) => {
          const rows = pages.flatMap(({ items }) => items);
          if (rows.length === 0) return <Empty title={t('clusters.none')}>{t('clusters.noneDetail')}</Empty>;
          return (
            <DataTable
              label={t('clusters.title')}
              rows={rows}
              columns={columns}
              idOf={({ clusterId }) => clusterId}
              prefix="clusters."
              isSortedByServer
              total={pages[0]?.total}
              onEnd={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              isLoadingMore={query.isFetchingNextPage}
              loadAll={query.hasNextPage ? () => allClusters(filter) : undefined}
            />
          );
        }}
      </Loaded>
      {moved !== undefined && (
        <ChangeDialog
          kind="transfer"
          subject={moved.name ?? moved.clusterId}
          changeOf={(fields) => transferCluster(moved.clusterId, fields)}
          onClose={() => {
            setMoved(undefined);
            void query.refetch();
          }}
        />
      )}
    </section>
  );
}
