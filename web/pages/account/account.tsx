import { Button, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../../data/accounts.ts';
import { useMayCall } from '../../data/caller.ts';
import { useAccountOf } from '../../ui/account-picker.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { AccountClusters } from './account-clusters.tsx';
import { AccountList } from './account-list.tsx';
import { ExternalIds } from './external-ids.tsx';
import { Limits } from './limits.tsx';
import { ProfileDialog } from './profile-dialog.tsx';
import { Statements } from './statements.tsx';
import { Year } from './year.tsx';
import './account.css';

/** An account: what is billed now against its limits, its year, its statements and its clusters. Without an id: all accounts. */
export default function AccountPage() {
  const { t } = useTranslation('account');
  const { accountId: chosen } = useParams({ strict: false }) as { readonly accountId?: string };
  const accountId = useAccountOf(chosen);
  if (accountId !== undefined) return <OneAccount key={accountId} accountId={accountId} />;
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} />
      <AccountList />
    </>
  );
}

function OneAccount({ accountId }: { readonly accountId: string }) {
  const { t } = useTranslation('account');
  const mayCall = useMayCall();
  const [isEditing, setEditing] = useState(false);
  const query = useQuery(accountQuery(accountId));
  return (
    <>
      {query.data === undefined && <PageHeader title={accountId} />}
      <Loaded query={query} skeleton={<LinesSkeleton lines={10} />}>
        {(account) => (
          <>
            <PageHeader
              title={account.name ?? accountId}
              lead={
                <>
                  {account.name !== undefined && <span className="name">{accountId} · </span>}
                  <PageLink to="/usage" search={{ account: accountId }}>
                    {t('explain')}
                  </PageLink>
                </>
              }
              actions={
                mayCall('describeAccount') && (
                  <Button variant="default" onClick={() => setEditing(true)}>
                    {t('edit')}
                  </Button>
                )
              }
            />
            <Stack gap="xl">
              <Limits account={account} />
              <Year accountId={accountId} />
              <Statements accountId={accountId} />
              {mayCall('listClusters') && <AccountClusters accountId={accountId} />}
              <ExternalIds account={account} />
            </Stack>
            {isEditing && <ProfileDialog account={account} onClose={() => setEditing(false)} />}
          </>
        )}
      </Loaded>
    </>
  );
}
