import { Button, Code, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import type { Cluster } from '../../data/clusters.ts';
import {
  cancelDeletion,
  confirmDeletion,
  type DeletionRequest,
  requestDeletion,
} from '../../data/deletions.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';

type Deletable = Pick<Cluster, 'clusterId' | 'name' | 'accountId' | 'billedSince'>;

interface DeleteDialogProps {
  readonly cluster: Deletable;
  readonly onClose: () => void;
  /** Called once the deletion is confirmed. */
  readonly onConfirmed?: () => void;
}

/**
 * Deletes a cluster in two steps: it says what will stop and what stays on the bill, and then asks for the name of the cluster, typed
 * in full. Leaving it takes a request back that was not confirmed.
 */
export function DeleteDialog({ cluster, onClose, onConfirmed }: DeleteDialogProps) {
  const { t } = useTranslation('cluster');
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const requesting = useMutation({ mutationFn: () => requestDeletion(cluster.clusterId, reason.trim()) });
  const confirming = useMutation({
    mutationFn: ({ requested, name }: { readonly requested: DeletionRequest; readonly name: string }) =>
      confirmDeletion(requested, name),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['deletions'] });
      void client.invalidateQueries({ queryKey: ['clusters'] });
    },
  });
  const requested = requesting.data;
  const isConfirmed = confirming.isSuccess;
  const close = () => {
    if (requested !== undefined && !isConfirmed && !confirming.isPending)
      void cancelDeletion(requested).catch(() => undefined);
    onClose();
  };
  const name = cluster.name ?? cluster.clusterId;
  return (
    <Dialog onClose={close} title={t('delete.title', { name })} size="lg" isKept>
      {isConfirmed ? (
        <Confirmed
          onClose={() => {
            onClose();
            onConfirmed?.();
          }}
        />
      ) : requested === undefined ? (
        <Stack gap="md">
          <Explanation cluster={cluster} />
          <TextInput
            label={t('delete.reason')}
            description={t('delete.reasonDetail')}
            value={reason}
            maxLength={1_000}
            onChange={({ currentTarget: { value } }) => setReason(value)}
          />
          {requesting.error !== null && <Failed error={requesting.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              {t('dialog.cancel')}
            </Button>
            <Button onClick={() => requesting.mutate()} loading={requesting.isPending}>
              {t('delete.continue')}
            </Button>
          </Group>
        </Stack>
      ) : (
        <TypedName
          requested={requested}
          isPending={confirming.isPending}
          error={confirming.error}
          onCancel={close}
          onConfirm={(typed) => confirming.mutate({ requested, name: typed })}
        />
      )}
    </Dialog>
  );
}

function Explanation({ cluster: { billedSince } }: { readonly cluster: Deletable }) {
  const { t } = useTranslation('cluster');
  return (
    <Stack gap="xs">
      <Text size="sm">
        {billedSince === null ? (
          t('delete.notBilled')
        ) : (
          <Trans t={t} i18nKey="delete.billedSince" components={{ since: <Instant at={billedSince} /> }} />
        )}
      </Text>
      <Text size="sm">{t('delete.stays')}</Text>
      <Text size="sm">{t('delete.next')}</Text>
    </Stack>
  );
}

interface TypedNameProps {
  readonly requested: DeletionRequest;
  readonly isPending: boolean;
  readonly error: unknown;
  readonly onCancel: () => void;
  readonly onConfirm: (typed: string) => void;
}

/** The second step. Enter in the field does nothing: only the button confirms. */
function TypedName({ requested: { preview }, isPending, error, onCancel, onConfirm }: TypedNameProps) {
  const { t } = useTranslation('cluster');
  const [typed, setTyped] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const { name, thisPeriod, billedSince } = preview;
  return (
    <Stack gap="md">
      <Notice
        severity="warning"
        title={billedSince === null ? t('delete.previewNotBilled') : t('delete.preview')}
      >
        <Trans
          t={t}
          i18nKey="delete.stayOnBill"
          values={{ period: thisPeriod.period }}
          components={{ time: <BilledTime seconds={thisPeriod.clusterSeconds} /> }}
        />
      </Notice>
      <TextInput
        ref={input}
        label={t('delete.typeName')}
        description={<Code className="name">{name}</Code>}
        value={typed}
        onChange={({ currentTarget: { value } }) => setTyped(value)}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
      />
      {error !== null && <Failed error={error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onCancel}>
          {t('dialog.cancel')}
        </Button>
        <Button color="red.9" disabled={typed !== name} loading={isPending} onClick={() => onConfirm(typed)}>
          {t('delete.confirm')}
        </Button>
      </Group>
    </Stack>
  );
}

function Confirmed({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation('cluster');
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <Stack gap="md">
      <Notice severity="good" title={t('delete.confirmed')}>
        {t('delete.confirmedDetail')}
      </Notice>
      <Group justify="flex-end">
        <Button ref={button} onClick={onClose}>
          {t('dialog.done')}
        </Button>
      </Group>
    </Stack>
  );
}
