import { Button, Group, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { shortType } from '../../data/feed.ts';
import {
  type Deliveries,
  deliveriesQuery,
  redeliver,
  replayParked,
  type Webhook,
} from '../../data/webhooks.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Empty, Failed, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';

type Attempt = Deliveries['attempts'][number];
type ParkedMessage = Deliveries['parked'][number];

const OUTCOME_ICONS = { delivered: 'good', failed: 'warning', parked: 'critical' } as const;

/** Sends one event again. What became of it appears among the deliveries. */
function Redeliver({ webhookId, eventId }: { readonly webhookId: string; readonly eventId: string }) {
  const { t } = useTranslation('delivery');
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: redeliver,
    onSuccess: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  });
  return (
    <Group gap={6} wrap="nowrap">
      <Button
        variant="subtle"
        size="compact-sm"
        loading={send.isPending}
        aria-label={t('redeliverOf', { id: eventId })}
        onClick={() => send.mutate({ id: webhookId, eventId })}
      >
        {t('redeliver')}
      </Button>
      <span role="status">
        {send.isSuccess && <Icon name="good" size={16} />}
        {send.isSuccess && <span className="visually-hidden">{t('underWay')}</span>}
      </span>
      {send.error !== null && <Text size="sm">{send.error.message}</Text>}
    </Group>
  );
}

/** The latest attempts, latest first. */
export function Attempts({ webhook: { webhookId } }: { readonly webhook: Webhook }) {
  const { t } = useTranslation('delivery');
  const mayCall = useMayCall();
  const query = useQuery(deliveriesQuery(webhookId));
  const columns: Columns<Attempt> = [
    {
      id: 'at',
      header: t('attempt.at'),
      accessorKey: 'at',
      size: 160,
      cell: ({ row }) => <Instant at={row.original.at} precision="second" />,
    },
    {
      id: 'outcome',
      header: t('attempt.outcome'),
      accessorFn: ({ outcome }) => t(`outcome.${outcome}`),
      size: 115,
      cell: ({ row: { original } }) => (
        <Group gap={6} wrap="nowrap">
          <Icon name={OUTCOME_ICONS[original.outcome]} size={16} />
          {t(`outcome.${original.outcome}`)}
        </Group>
      ),
    },
    {
      id: 'answer',
      header: t('attempt.answer'),
      accessorFn: ({ status, error }) => [status, error].filter((part) => part !== undefined).join(' '),
      size: 180,
    },
    {
      id: 'event',
      header: t('attempt.event'),
      accessorFn: ({ type, subject }) => `${shortType(type)} ${subject}`,
      size: 210,
      cell: ({ row: { original } }) => (
        <span className="breakable">
          <Link to={`/events/${original.eventId}`}>{shortType(original.type)}</Link>{' '}
          <span className="name">{original.subject}</span>
        </span>
      ),
    },
    {
      id: 'position',
      header: t('attempt.position'),
      accessorFn: ({ position }) => Number(position),
      size: 95,
      meta: { align: 'right' },
    },
    {
      id: 'duration',
      header: t('attempt.duration'),
      accessorFn: ({ durationMs }) => durationMs,
      size: 110,
      meta: { align: 'right' },
    },
    ...(mayCall('redeliverEvent')
      ? ([
          {
            id: 'actions',
            header: '',
            size: 125,
            enableSorting: false,
            cell: ({ row }) => <Redeliver webhookId={webhookId} eventId={row.original.eventId} />,
          },
        ] satisfies Columns<Attempt>)
      : []),
  ];
  return (
    <section>
      <Title order={2} id="attempts" mb="xs">
        {t('attempts')}
      </Title>
      <Loaded query={query}>
        {({ attempts }) =>
          attempts.length === 0 ? (
            <Empty title={t('noAttempts')}>{t('noAttemptsDetail')}</Empty>
          ) : (
            <DataTable
              label={t('attempts')}
              rows={attempts}
              columns={columns}
              idOf={({ eventId, at, outcome }) => `${eventId} ${at} ${outcome}`}
              prefix="attempts."
            />
          )
        }
      </Loaded>
    </section>
  );
}

/** Messages whose attempts are used up. Absent if there are none. */
export function Parked({ webhook }: { readonly webhook: Webhook }) {
  const { t } = useTranslation('delivery');
  const mayCall = useMayCall();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const query = useQuery(deliveriesQuery(webhook.webhookId));
  const replay = useMutation({
    mutationFn: () => replayParked(webhook.webhookId),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['webhooks'] });
      setAsking(false);
    },
  });
  const parked = query.data?.parked ?? [];
  const columns: Columns<ParkedMessage> = [
    {
      id: 'parkedAt',
      header: t('parkedAt'),
      accessorKey: 'parkedAt',
      size: 190,
      cell: ({ row }) => <Instant at={row.original.parkedAt} precision="second" />,
    },
    {
      id: 'position',
      header: t('attempt.position'),
      accessorFn: ({ position }) => Number(position),
      size: 110,
      meta: { align: 'right' },
    },
    { id: 'error', header: t('attempt.answer'), accessorKey: 'error', size: 280 },
    { id: 'attempts', header: t('tries'), accessorKey: 'attempts', size: 100, meta: { align: 'right' } },
    ...(mayCall('redeliverEvent')
      ? ([
          {
            id: 'actions',
            header: '',
            size: 140,
            enableSorting: false,
            cell: ({ row }) => <Redeliver webhookId={webhook.webhookId} eventId={row.original.eventId} />,
          },
        ] satisfies Columns<ParkedMessage>)
      : []),
  ];
  if (parked.length === 0) return null;
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} id="parked">
          {t('parkedTitle')}
        </Title>
        {mayCall('replayParkedDeliveries') && (
          <Button size="xs" onClick={() => setAsking(true)}>
            {t('replay.button')}
          </Button>
        )}
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {t('parkedLead')}
      </Text>
      {query.error !== null && <Failed error={query.error} />}
      <DataTable
        label={t('parkedTitle')}
        rows={parked}
        columns={columns}
        idOf={({ eventId }) => eventId}
        prefix="parked."
        total={webhook.delivery.parked}
      />
      <ConfirmDialog
        isOpen={isAsking}
        title={t('replay.title', { count: webhook.delivery.parked })}
        confirm={t('replay.button')}
        isBusy={replay.isPending}
        error={replay.error}
        onConfirm={() => replay.mutate()}
        onClose={() => setAsking(false)}
      >
        <Text size="sm">{t('replay.effect')}</Text>
      </ConfirmDialog>
    </section>
  );
}
