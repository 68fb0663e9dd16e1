import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Change, makeChange, type Preview, previewChange } from '../../data/corrections.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed } from '../../ui/states.tsx';
import { EffectTable } from './effect-table.tsx';

/** The changes of a cluster or a fact that an operator can make. */
export type ChangeKind = 'stop' | 'resume' | 'transfer' | 'void';

interface ChangeDialogProps {
  readonly kind: ChangeKind;
  /** Name of the cluster or fact that is changed. */
  readonly subject: string;
  readonly changeOf: (fields: Change['body']) => Change;
  readonly onClose: () => void;
}

interface Fields {
  readonly accountId: string;
  readonly reason: string;
  /** UTC, as `YYYY-MM-DDTHH:MM`; empty for now. */
  readonly effectiveAt: string;
}

/** Returns the fields of a request, without those that are empty. */
function bodyOf(kind: ChangeKind, { accountId, reason, effectiveAt }: Fields): Change['body'] {
  return {
    ...(kind === 'transfer'
      ? { accountId: accountId.trim() }
      : reason.trim() !== '' && { reason: reason.trim() }),
    ...(effectiveAt !== '' && { effectiveAt: new Date(`${effectiveAt}Z`).toISOString() }),
  };
}

/** Makes a change in two steps: the fields, and then what the change would do to the bill of each account. */
export function ChangeDialog({ kind, subject, changeOf, onClose }: ChangeDialogProps) {
  const { t } = useTranslation('cluster');
  const client = useQueryClient();
  const [fields, setFields] = useState<Fields>({ accountId: '', reason: '', effectiveAt: '' });
  const previewing = useMutation({ mutationFn: () => previewChange(changeOf(bodyOf(kind, fields))) });
  const changing = useMutation({
    mutationFn: () => makeChange(changeOf(bodyOf(kind, fields))),
    onSuccess: async () => {
      await client.invalidateQueries();
      onClose();
    },
  });
  const set = (changes: Partial<Fields>) => {
    setFields({ ...fields, ...changes });
    previewing.reset();
    changing.reset();
  };
  const isComplete =
    kind === 'transfer' ? fields.accountId.trim() !== '' : kind !== 'void' || fields.reason.trim() !== '';
  const preview = previewing.data;
  return (
    <Dialog onClose={onClose} title={t(`change.${kind}.title`, { subject })} size="xl">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isComplete) previewing.mutate();
        }}
      >
        <Stack gap="md">
          <Text size="sm">{t(`change.${kind}.detail`)}</Text>
          {kind === 'transfer' ? (
            <TextInput
              label={t('change.account')}
              value={fields.accountId}
              onChange={({ currentTarget: { value } }) => set({ accountId: value })}
              required
              data-autofocus
            />
          ) : (
            <TextInput
              label={t('change.reason')}
              description={t('change.reasonDetail')}
              value={fields.reason}
              maxLength={1_000}
              onChange={({ currentTarget: { value } }) => set({ reason: value })}
              required={kind === 'void'}
              data-autofocus
            />
          )}
          {kind !== 'void' && (
            <TextInput
              type="datetime-local"
              label={t('change.effectiveAt')}
              description={t('change.effectiveAtDetail')}
              value={fields.effectiveAt}
              onChange={({ currentTarget: { value } }) => set({ effectiveAt: value })}
            />
          )}
          {previewing.error !== null && <Failed error={previewing.error} />}
          {preview !== undefined && <PreviewText preview={preview} />}
          {changing.error !== null && <Failed error={changing.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('dialog.cancel')}
            </Button>
            {preview === undefined ? (
              <Button type="submit" disabled={!isComplete} loading={previewing.isPending}>
                {t('change.preview')}
              </Button>
            ) : (
              <Button type="button" loading={changing.isPending} onClick={() => changing.mutate()}>
                {t(`change.${kind}.confirm`)}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** Says what a change would do: now, and to what was billed so far. */
function PreviewText({ preview }: { readonly preview: Preview }) {
  const { t } = useTranslation('cluster');
  const { accounts } = preview;
  const after =
    'billedAfter' in preview
      ? t(
          preview.billedAfter
            ? 'change.billedAfter'
            : preview.outcome === 'would-resume'
              ? 'change.stillStopped'
              : 'change.notBilledAfter',
        )
      : undefined;
  const isUnchanged = accounts.every(({ periods }) => periods.length === 0);
  return (
    <Stack gap="sm">
      <Notice title={isUnchanged ? t('change.nothingSoFar') : t('change.effect')}>{after}</Notice>
      {!isUnchanged && <EffectTable effects={accounts} />}
    </Stack>
  );
}
