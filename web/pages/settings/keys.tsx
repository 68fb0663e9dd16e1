import { Button, Group, SegmentedControl, Text, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { type Key, keysQuery, revokeKey } from '../../data/keys.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Empty, Loaded, NothingMatches } from '../../ui/states.tsx';
import { Age, Instant } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { CreateKey } from './create-key.tsx';

const STATE_ICONS = { active: 'good', expired: 'pending', revoked: 'close' } as const;

/** The API keys: who has access, and since when. Operators create and revoke them. */
export function Keys() {
  const { t } = useTranslation('settings');
  const mayCall = useMayCall();
  const [url, setUrl] = useUrlState();
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<Key>();
  const query = useQuery(keysQuery);
  const columns: Columns<Key> = [
    {
      id: 'name',
      header: t('keys.name'),
      accessorKey: 'name',
      size: 180,
      cell: ({ row }) => <span className="name">{row.original.name}</span>,
    },
    { id: 'role', header: t('keys.role'), accessorFn: ({ role }) => t(`common:role.${role}`), size: 110 },
    {
      id: 'account',
      header: t('keys.account'),
      accessorFn: ({ accountId }) => accountId ?? '',
      size: 110,
      cell: ({ row }) => <span className="name">{row.original.accountId}</span>,
    },
    {
      id: 'state',
      header: t('keys.state'),
      accessorFn: ({ state }) => t(`keys.is.${state}`),
      size: 100,
      cell: ({ row }) => (
        <Group gap={6} wrap="nowrap">
          <Icon name={STATE_ICONS[row.original.state]} size={16} />
          {t(`keys.is.${row.original.state}`)}
        </Group>
      ),
    },
    {
      id: 'lastUsedAt',
      header: t('keys.lastUsed'),
      accessorFn: ({ lastUsedAt }) => lastUsedAt ?? '',
      size: 130,
      cell: ({ row }) =>
        row.original.lastUsedAt === null ? t('keys.never') : <Age at={row.original.lastUsedAt} />,
    },
    {
      id: 'expiresAt',
      header: t('keys.expires'),
      accessorKey: 'expiresAt',
      size: 130,
      cell: ({ row }) => <Instant at={row.original.expiresAt} precision="day" />,
    },
    { id: 'id', header: t('keys.id'), accessorKey: 'id', size: 130, meta: { isOptional: true } },
    {
      id: 'createdAt',
      header: t('keys.created'),
      accessorKey: 'createdAt',
      size: 150,
      meta: { isOptional: true },
      cell: ({ row }) => <Instant at={row.original.createdAt} />,
    },
    {
      id: 'createdBy',
      header: t('keys.createdBy'),
      accessorKey: 'createdBy',
      size: 140,
      meta: { isOptional: true },
    },
    ...(mayCall('revokeKey')
      ? ([
          {
            id: 'actions',
            header: '',
            size: 110,
            enableSorting: false,
            cell: ({ row }) =>
              row.original.state === 'active' && (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  aria-label={t('keys.revokeOf', { name: row.original.name })}
                  onClick={() => setRevoked(row.original)}
                >
                  {t('keys.revoke')}
                </Button>
              ),
          },
        ] satisfies Columns<Key>)
      : []),
  ];
  const state = url.keys ?? 'active';
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} id="keys">
          {t('keys.title')}
        </Title>
        {mayCall('createKey') && (
          <Button leftSection={<Icon name="key" size={16} />} onClick={() => setCreating(true)}>
            {t('keys.create')}
          </Button>
        )}
      </Group>
      <Loaded query={query}>
        {(keys) => {
          if (keys.length === 0) return <Empty title={t('keys.empty')}>{t('keys.emptyDetail')}</Empty>;
          const rows = keys.filter((key) => state === 'all' || key.state === state);
          return (
            <>
              <DataTable
                label={t('keys.title')}
                rows={rows}
                columns={columns}
                idOf={({ id }) => id}
                prefix="keys."
                initialSort="name"
                filters={
                  <SegmentedControl
                    size="xs"
                    aria-label={t('keys.state')}
                    value={state}
                    onChange={(next) => setUrl({ keys: next === 'active' ? undefined : next })}
                    data={['active', 'expired', 'revoked', 'all'].map((value) => ({
                      value,
                      label: t(`keys.is.${value}`),
                    }))}
                  />
                }
              />
              {rows.length === 0 && <NothingMatches onClear={() => setUrl({ keys: 'all' })} />}
            </>
          );
        }}
      </Loaded>
      <CreateKey isOpen={isCreating} onClose={() => setCreating(false)} />
      <Revoke key={revoked?.id} revoked={revoked} onClose={() => setRevoked(undefined)} />
    </section>
  );
}

function Revoke({ revoked, onClose }: { readonly revoked: Key | undefined; readonly onClose: () => void }) {
  const { t } = useTranslation('settings');
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const revoke = useMutation({
    mutationFn: revokeKey,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: keysQuery.queryKey });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      isOpen={revoked !== undefined}
      title={t('revoke.title', { name: revoked?.name })}
      confirm={t('keys.revoke')}
      isDestructive
      isBusy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoked !== undefined && revoke.mutate({ id: revoked.id, reason })}
      onClose={onClose}
    >
      <Text size="sm">{t('revoke.effect')}</Text>
      <Textarea
        label={t('revoke.reason')}
        description={t('revoke.reasonHelp')}
        value={reason}
        maxLength={1_000}
        autosize
        onChange={({ currentTarget: { value } }) => setReason(value)}
      />
    </ConfirmDialog>
  );
}
