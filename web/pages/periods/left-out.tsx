import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { beginningPreviewQuery } from '../../data/periods.ts';
import { type UsageOfAccounts, usageInWindowQuery, usageQuery } from '../../data/usage.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { FigureTile, FigureTiles } from '../../ui/figure-tile.tsx';
import { BilledTime, Count, Seconds } from '../../ui/figures.tsx';
import { Notice } from '../../ui/notice.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { Loaded } from '../../ui/states.tsx';
import { BillingWindow } from '../../ui/times.tsx';
import { useUsageColumns } from '../../ui/usage-columns.tsx';

type Item = UsageOfAccounts['items'][number];

/** The usage that a beginning would leave out, by account, and what the first statements would be about. */
export function LeftOut({ period }: { readonly period: string }) {
  const { t } = useTranslation('periods');
  const query = useQuery(beginningPreviewQuery(period));
  const first = useQuery(usageQuery({ period }));
  return (
    <Loaded query={query}>
      {({ leftOut }) => (
        <Stack gap="md">
          {leftOut.accounts === 0 ? (
            <Notice severity="good" title={t('leftOut.nothing')} />
          ) : (
            <>
              <Text size="sm">
                {t('leftOut.detail')} <BillingWindow from={leftOut.window.from} to={leftOut.window.to} />
              </Text>
              <FigureTiles>
                <FigureTile name={t('leftOut.accounts')}>
                  <Count value={leftOut.accounts} />
                </FigureTile>
                <FigureTile name={t('common:measure.billableClusters')}>
                  <Count value={leftOut.billableClusters} />
                </FigureTile>
                <FigureTile
                  name={t('common:measure.clusterSeconds')}
                  note={<Seconds value={leftOut.clusterSeconds} />}
                >
                  <BilledTime seconds={leftOut.clusterSeconds} />
                </FigureTile>
              </FigureTiles>
              <LeftOutAccounts from={leftOut.window.from} to={leftOut.window.to} />
            </>
          )}
          <Title order={3}>{t('leftOut.first', { period })}</Title>
          <Loaded query={first}>
            {({ items }) => <Accounts label={t('leftOut.first', { period })} items={items} period={period} />}
          </Loaded>
        </Stack>
      )}
    </Loaded>
  );
}

function LeftOutAccounts({ from, to }: { readonly from: string; readonly to: string }) {
  const { t } = useTranslation('periods');
  const query = useQuery(usageInWindowQuery({ from, to }));
  return (
    <Loaded query={query}>
      {({ items }) => (
        <Accounts
          label={t('leftOut.byAccount')}
          items={items.filter(({ usage }) => usage.billableClusters > 0)}
        />
      )}
    </Loaded>
  );
}

interface AccountsProps {
  readonly label: string;
  readonly items: readonly Item[];
  /** The period to which the accounts link. */
  readonly period?: string;
}

function Accounts({ label, items, period }: AccountsProps) {
  const { t } = useTranslation('periods');
  const { billable, time } = useUsageColumns<Item>();
  const columns: Columns<Item> = [
    {
      id: 'account',
      header: t('common:pick.account'),
      accessorKey: 'accountId',
      size: 220,
      cell: ({ row: { original } }) =>
        period === undefined ? (
          <span className="name">{original.accountId}</span>
        ) : (
          <PageLink to="/usage" search={{ account: original.accountId, period }}>
            <span className="name">{original.accountId}</span>
          </PageLink>
        ),
    },
    billable,
    time,
  ];
  return (
    <DataTable
      label={label}
      rows={items}
      columns={columns}
      idOf={({ accountId }) => accountId}
      prefix={period === undefined ? 'left.' : 'first.'}
    />
  );
}
