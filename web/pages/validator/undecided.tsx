import { Button, Group, Radio, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { decideUndecided, type Undecided, undecidedQuery } from '../../data/validator.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Age, Instant, utcText } from '../../ui/times.tsx';
import { ClusterLink } from './conclusions.tsx';

/** The billed clusters that only a person can decide about. */
export function UndecidedClusters() {
  const { t } = useTranslation('validator');
  const mayCall = useMayCall();
  const [chosen, setChosen] = useState<Undecided>();
  const query = useQuery(undecidedQuery);
  const columns: Columns<Undecided> = [
    {
      id: 'cluster',
      header: t('cluster'),
      accessorKey: 'name',
      size: 200,
      cell: ({ row: { original } }) => (
        <div className="breakable">
          <ClusterLink clusterId={original.clusterId} />
          <div className="name">{original.name}</div>
        </div>
      ),
    },
    {
      id: 'account',
      header: t('account'),
      accessorFn: ({ accountId }) => accountId ?? '',
      size: 130,
      cell: ({ row }) => <span className="name">{row.original.accountId}</span>,
    },
    {
      id: 'why',
      header: t('undecided.why'),
      accessorFn: ({ why }) => why.map((kind) => t(`undecided.is.${kind}`)).join(', '),
      size: 230,
    },
    {
      id: 'seen',
      header: t('seen'),
      accessorFn: ({ code, detail }) => [code, detail].filter((part) => part !== undefined).join(': '),
      size: 220,
    },
    {
      id: 'since',
      header: t('undecided.since'),
      accessorFn: ({ since }) => since ?? '',
      size: 120,
      cell: ({ row }) => row.original.since !== undefined && <Age at={row.original.since} />,
    },
    {
      id: 'billed',
      header: t('undecided.billed'),
      accessorFn: ({ clusterSeconds }) => Number(clusterSeconds),
      size: 170,
      meta: { align: 'right', csv: ({ clusterSeconds }) => clusterSeconds },
      cell: ({ row }) => <BilledTime seconds={row.original.clusterSeconds} />,
    },
    {
      id: 'lastAlive',
      header: t('undecided.lastAlive'),
      accessorFn: ({ lastAliveAt }) => lastAliveAt ?? '',
      size: 180,
      meta: { isOptional: true },
      cell: ({ row }) =>
        row.original.lastAliveAt === undefined ? (
          t('undecided.never')
        ) : (
          <Instant at={row.original.lastAliveAt} />
        ),
    },
    ...(mayCall('decideUndecided')
      ? ([
          {
            id: 'actions',
            header: '',
            size: 120,
            enableSorting: false,
            cell: ({ row: { original } }) =>
              original.isLeft ? (
                t('undecided.left')
              ) : (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  aria-label={t('undecided.decideOn', { name: original.name })}
                  onClick={() => setChosen(original)}
                >
                  {t('undecided.decide')}
                </Button>
              ),
          },
        ] satisfies Columns<Undecided>)
      : []),
  ];
  return (
    <Loaded query={query}>
      {(clusters) =>
        clusters.length === 0 ? (
          <Notice severity="good" title={t('undecided.none')}>
            {t('undecided.noneDetail')}
          </Notice>
        ) : (
          <>
            <Text size="sm" c="dimmed" mb="sm">
              {t('undecided.lead')}
            </Text>
            <DataTable
              label={t('undecided.title')}
              rows={clusters}
              columns={columns}
              idOf={({ clusterId }) => clusterId}
              prefix="undecided."
              initialSort="-billed"
            />
            {chosen !== undefined && <Decide cluster={chosen} onClose={() => setChosen(undefined)} />}
          </>
        )
      }
    </Loaded>
  );
}

/** The decision about a cluster, with what it does to the bill. */
function Decide({ cluster, onClose }: { readonly cluster: Undecided; readonly onClose: () => void }) {
  const { t } = useTranslation('validator');
  const client = useQueryClient();
  const [decision, setDecision] = useState<'stop' | 'leave'>('leave');
  const [from, setFrom] = useState(() =>
    (cluster.lastAliveAt ?? cluster.since ?? new Date().toISOString()).slice(0, 19),
  );
  const [reason, setReason] = useState('');
  const decide = useMutation({
    mutationFn: decideUndecided,
    onSuccess: async ({ items }) => {
      if (items.some(({ outcome }) => outcome === 'refused')) return;
      await client.invalidateQueries();
      onClose();
    },
  });
  const at = new Date(`${from}Z`);
  const isValid = reason.trim() !== '' && (decision === 'leave' || !Number.isNaN(at.getTime()));
  const refused = decide.data?.items.find(({ outcome }) => outcome === 'refused');
  return (
    <ConfirmDialog
      isOpen
      title={t('undecided.decideOn', { name: cluster.name })}
      confirm={t(decision === 'stop' ? 'undecided.stop' : 'undecided.leave')}
      isDestructive={decision === 'stop'}
      isBusy={decide.isPending}
      canConfirm={isValid}
      error={decide.error}
      onConfirm={() =>
        decide.mutate({
          decision,
          clusterIds: [cluster.clusterId],
          reason: reason.trim(),
          ...(decision === 'stop' && { effectiveAt: at.toISOString() }),
        })
      }
      onClose={onClose}
    >
      <Radio.Group
        label={t('undecided.question')}
        value={decision}
        onChange={(value) => setDecision(value as 'stop' | 'leave')}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="leave" label={t('undecided.leave')} description={t('undecided.leaveEffect')} />
          <Radio value="stop" label={t('undecided.stop')} description={t('undecided.stopEffect')} />
        </Stack>
      </Radio.Group>
      {decision === 'stop' && (
        <TextInput
          type="datetime-local"
          step={1}
          label={t('undecided.from')}
          description={t('undecided.fromHelp')}
          value={from}
          onChange={({ currentTarget: { value } }) => setFrom(value)}
        />
      )}
      <Textarea
        label={t('undecided.reason')}
        description={t('undecided.reasonHelp')}
        value={reason}
        required
        maxLength={1_000}
        autosize
        onChange={({ currentTarget: { value } }) => setReason(value)}
      />
      {cluster.lastAliveAt !== undefined && (
        <Group gap={4}>
          <Text size="sm" c="dimmed">
            {t('undecided.lastAlive')}: {utcText(cluster.lastAliveAt)}
          </Text>
        </Group>
      )}
      {refused !== undefined && <Notice severity="critical" title={refused.why ?? ''} />}
    </ConfirmDialog>
  );
}
