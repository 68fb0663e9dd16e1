import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { type Webhook, webhooksQuery } from '../../data/webhooks.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Empty, Loaded, NothingMatches } from '../../ui/states.tsx';
import { Age } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { HEALTHS, HealthBadge, healthOf } from './health.tsx';
import { OneWebhook } from './one-webhook.tsx';
import './delivery.css';

const CreateWebhook = lazy(() => import('./create-webhook.tsx'));

/** Where the ledger sends events: all webhooks, or one. */
export default function DeliveryPage() {
  const { webhookId } = useParams({ strict: false }) as { readonly webhookId?: string };
  return webhookId === undefined ? <WebhookList /> : <OneWebhook webhookId={webhookId} />;
}

function WebhookList() {
  const { t } = useTranslation('delivery');
  const mayCall = useMayCall();
  const [url, setUrl] = useUrlState();
  const [isCreating, setCreating] = useState(false);
  const query = useQuery(webhooksQuery);
  const columns: Columns<Webhook> = [
    {
      id: 'url',
      header: t('receiver'),
      accessorKey: 'url',
      size: 300,
      cell: ({ row: { original } }) => (
        <div className="breakable">
          <Link to={`/delivery/${original.webhookId}`} className="name">
            {original.description ?? original.url}
          </Link>
          {original.description !== undefined && <div className="delivery-url name">{original.url}</div>}
        </div>
      ),
    },
    {
      id: 'health',
      header: t('state'),
      // The worst comes first.
      accessorFn: (webhook) => HEALTHS.indexOf(healthOf(webhook)),
      size: 190,
      cell: ({ row }) => <HealthBadge webhook={row.original} />,
      meta: { csv: (webhook) => t(`health.${healthOf(webhook)}`) },
    },
    {
      id: 'outstanding',
      header: t('outstanding'),
      accessorFn: ({ delivery }) => delivery.outstanding,
      size: 110,
      meta: { align: 'right' },
    },
    {
      id: 'parked',
      header: t('parked'),
      accessorFn: ({ delivery }) => delivery.parked,
      size: 100,
      meta: { align: 'right' },
    },
    {
      id: 'lastSuccess',
      header: t('lastSuccess'),
      accessorFn: ({ delivery }) => delivery.lastSuccessAt ?? '',
      size: 140,
      cell: ({ row }) => {
        const { lastSuccessAt } = row.original.delivery;
        return lastSuccessAt === undefined ? t('never') : <Age at={lastSuccessAt} />;
      },
    },
    {
      id: 'types',
      header: t('types'),
      accessorFn: ({ types }) => types.join(' '),
      size: 160,
      enableSorting: false,
      meta: { isOptional: true },
      cell: ({ row: { original } }) =>
        original.types.length === 0 ? t('allTypes') : t('typeCount', { count: original.types.length }),
    },
  ];
  const create = mayCall('createWebhook') && <Button onClick={() => setCreating(true)}>{t('create')}</Button>;
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} actions={create} />
      <Loaded query={query}>
        {(webhooks) => {
          if (webhooks.length === 0) return <Empty title={t('empty')}>{t('emptyDetail')}</Empty>;
          const rows = webhooks.filter(
            (webhook) => url.state === undefined || healthOf(webhook) === url.state,
          );
          return (
            <>
              <DataTable
                label={t('title')}
                rows={rows}
                columns={columns}
                idOf={({ webhookId }) => webhookId}
                initialSort="health"
                filters={
                  <NativeSelect
                    size="xs"
                    aria-label={t('state')}
                    value={url.state ?? ''}
                    onChange={({ currentTarget: { value } }) => setUrl({ state: value })}
                    data={[
                      { value: '', label: t('anyState') },
                      ...HEALTHS.map((value) => ({ value, label: t(`health.${value}`) })),
                    ]}
                  />
                }
              />
              {rows.length === 0 && <NothingMatches onClear={() => setUrl({ state: undefined })} />}
            </>
          );
        }}
      </Loaded>
      {isCreating && (
        <Suspense>
          <CreateWebhook onClose={() => setCreating(false)} />
        </Suspense>
      )}
    </>
  );
}
