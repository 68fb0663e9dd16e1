import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type Account, accountsQuery } from '../../data/accounts.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Count } from '../../ui/figures.tsx';
import { Icon } from '../../ui/icons.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { Empty, LinesSkeleton, Loaded, NothingMatches } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';

/** Every account, with what is billed to it now. */
export function AccountList() {
  const { t } = useTranslation('account');
  const [url, setUrl] = useUrlState();
  const query = useQuery(accountsQuery);
  const wanted = url.q?.toLowerCase() ?? '';
  const matches = ({ accountId, name = '', externalIds = {} }: Account) =>
    [accountId, name, ...Object.values(externalIds)].some((text) => text.toLowerCase().includes(wanted));
  const columns: Columns<Account> = [
    {
      id: 'account',
      header: t('common:pick.account'),
      accessorFn: ({ name, accountId }) => name ?? accountId,
      size: 260,
      cell: ({ row: { original } }) => (
        <PageLink to="/accounts/$accountId" params={{ accountId: original.accountId }}>
          <span className="name">{original.name ?? original.accountId}</span>
        </PageLink>
      ),
    },
    {
      id: 'id',
      header: t('list.id'),
      accessorKey: 'accountId',
      size: 200,
      cell: ({ row }) => <span className="name">{row.original.accountId}</span>,
    },
    {
      id: 'billed',
      header: t('list.billedNow'),
      accessorKey: 'billedNow',
      cell: ({ row }) => <Count value={row.original.billedNow} />,
      size: 120,
      meta: { align: 'right' },
    },
    {
      id: 'clusters',
      header: t('list.clusters'),
      accessorKey: 'clusters',
      cell: ({ row }) => <Count value={row.original.clusters} />,
      size: 120,
      meta: { align: 'right' },
    },
    {
      id: 'limits',
      header: t('list.limits'),
      accessorFn: ({ limitUse = [] }) => limitUse.filter(({ left }) => left === 0).length,
      size: 170,
      cell: ({ row: { original } }) => <LimitState account={original} />,
    },
  ];
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={12} height={40} />}>
      {(accounts) => {
        if (accounts.length === 0) return <Empty title={t('list.empty')}>{t('list.emptyDetail')}</Empty>;
        const rows = accounts.filter(matches);
        return (
          <>
            <DataTable
              label={t('title')}
              rows={rows}
              columns={columns}
              idOf={({ accountId }) => accountId}
              initialSort="account"
              filters={
                <TextInput
                  aria-label={t('list.search')}
                  placeholder={t('list.search')}
                  leftSection={<Icon name="search" size={16} />}
                  defaultValue={url.q ?? ''}
                  onChange={({ currentTarget }) => setUrl({ q: currentTarget.value })}
                />
              }
            />
            {rows.length === 0 && <NothingMatches onClear={() => setUrl({ q: undefined })} />}
          </>
        );
      }}
    </Loaded>
  );
}

/** Whether a limit of the plan is reached, in a word. */
function LimitState({ account: { limitUse } }: { readonly account: Account }) {
  const { t } = useTranslation('account');
  if (limitUse === undefined || limitUse.length === 0) return t('list.noLimits');
  const isReached = limitUse.some(({ left }) => left === 0);
  return (
    <span className="limit-state" data-reached={isReached}>
      <Icon name={isReached ? 'warning' : 'good'} size={16} />
      {t(isReached ? 'limits.reached' : 'limits.within')}
    </span>
  );
}
