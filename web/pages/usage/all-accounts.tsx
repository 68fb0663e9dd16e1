import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type UsageOfAccounts, type UsageQuestion, usageQuery } from '../../data/usage.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Seconds, sumOfSeconds } from '../../ui/figures.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { Empty, Loaded } from '../../ui/states.tsx';
import { useUsageColumns } from '../../ui/usage-columns.tsx';
import { BeforeBeginning } from './before-beginning.tsx';

type Item = UsageOfAccounts['items'][number];

/** The usage of every account in a period. */
export function AllAccounts({ question }: { readonly question: UsageQuestion }) {
  const { t } = useTranslation('usage');
  const query = useQuery(usageQuery(question));
  const { billable, time } = useUsageColumns<Item>();
  const columns: Columns<Item> = [
    {
      id: 'account',
      header: t('common:pick.account'),
      accessorKey: 'accountId',
      size: 240,
      cell: ({ row: { original } }) => (
        <PageLink
          to="/usage"
          search={{ account: original.accountId, period: question.period, asOf: question.asOf }}
        >
          <span className="name">{original.accountId}</span>
        </PageLink>
      ),
    },
    billable,
    time,
    {
      id: 'peak',
      header: t('common:measure.peakClusters'),
      accessorFn: ({ usage }) => usage.peakClusters,
      size: 130,
      meta: { align: 'right' },
    },
    {
      id: 'average',
      header: t('common:measure.averageClusters'),
      accessorFn: ({ usage }) => usage.averageClusters,
      size: 130,
      sortingFn: 'alphanumeric',
      meta: { align: 'right', isOptional: true },
    },
  ];
  return (
    <Loaded query={query}>
      {({ items, statementsBegin }) => (
        <>
          <BeforeBeginning period={statementsBegin} />
          {items.length === 0 ? (
            <Empty title={t('nobody')}>{t('nobodyDetail')}</Empty>
          ) : (
            <>
              <DataTable
                label={t('accounts')}
                rows={items}
                columns={columns}
                idOf={({ accountId }) => accountId}
                initialSort="-time"
              />
              <p className="sum-line usage-sum">
                <span>{t('sum.accounts', { count: items.length })}</span>
                <Seconds value={sumOfSeconds(items.map(({ usage }) => usage.clusterSeconds))} />
              </p>
            </>
          )}
        </>
      )}
    </Loaded>
  );
}
