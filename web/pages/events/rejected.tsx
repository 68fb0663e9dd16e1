import { Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { type RejectedEvent, rejectedEventsQuery, retryRejected } from '../../data/events.ts';
import { shortType } from '../../data/feed.ts';
import { CopyText } from '../../ui/copy-text.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';

/** Events that were rejected: kept, without effect on any bill. */
export function RejectedEvents() {
  const { t } = useTranslation('events');
  const [opened, setOpened] = useState<RejectedEvent>();
  const query = useInfiniteQuery(rejectedEventsQuery);
  const columns: Columns<RejectedEvent> = [
    {
      id: 'recorded',
      header: t('rejected.at'),
      accessorKey: 'recordedAt',
      size: 180,
      cell: ({ row }) => <Instant at={row.original.recordedAt} precision="second" />,
    },
    {
      id: 'why',
      header: t('rejected.why'),
      accessorFn: ({ problem }) => problem.title,
      size: 260,
    },
    {
      id: 'type',
      header: t('type'),
      accessorFn: ({ event }) => shortType(event.type ?? ''),
      size: 180,
    },
    {
      id: 'subject',
      header: t('subject'),
      accessorKey: 'clusterId',
      size: 200,
      cell: ({ row }) => <span className="name">{row.original.clusterId}</span>,
    },
    {
      id: 'actor',
      header: t('rejected.by'),
      accessorFn: ({ actor }) => actor ?? '',
      size: 130,
      cell: ({ row }) => <span className="name">{row.original.actor}</span>,
    },
    {
      id: 'actions',
      header: '',
      size: 90,
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Button
          variant="subtle"
          size="compact-sm"
          aria-label={t('rejected.openOf', { cluster: original.clusterId })}
          onClick={() => setOpened(original)}
        >
          {t('rejected.open')}
        </Button>
      ),
    },
  ];
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const rows = pages.flatMap(({ items }) => items);
        if (rows.length === 0)
          return (
            <Notice severity="good" title={t('rejected.none')}>
              {t('rejected.noneDetail')}
            </Notice>
          );
        return (
          <>
            <Text size="sm" c="dimmed" mb="sm">
              {t('rejected.lead')}
            </Text>
            <DataTable
              label={t('rejected.title')}
              rows={rows}
              columns={columns}
              idOf={({ id }) => id}
              prefix="rejected."
              onEnd={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              isLoadingMore={query.isFetchingNextPage}
            />
            {opened !== undefined && (
              <OneRejected key={opened.id} rejected={opened} onClose={() => setOpened(undefined)} />
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function OneRejected({
  rejected,
  onClose,
}: {
  readonly rejected: RejectedEvent;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation('events');
  const mayCall = useMayCall();
  const client = useQueryClient();
  const retry = useMutation({
    mutationFn: () => retryRejected(rejected.id),
    onSuccess: () => client.invalidateQueries(),
  });
  const { problem, event, text } = rejected;
  return (
    <Dialog onClose={onClose} title={problem.title} size="lg">
      <Stack>
        <Text size="sm" className="breakable">
          {problem.detail}
        </Text>
        <CopyText text={text ?? JSON.stringify(event, null, 2)} label={t('raw')} />
        {retry.error !== null && <Failed error={retry.error} />}
        {retry.data !== undefined && (
          <Notice
            severity="good"
            title={t(retry.data.outcome === 'appended' ? 'rejected.done' : 'rejected.known')}
          >
            <Link to={`/events/${retry.data.eventId}`}>{t('rejected.see')}</Link>
          </Notice>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common:dialog.close')}
          </Button>
          {mayCall('retryRejectedEvent') && text === undefined && retry.data === undefined && (
            <Button loading={retry.isPending} onClick={() => retry.mutate()}>
              {t('rejected.retry')}
            </Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  );
}
