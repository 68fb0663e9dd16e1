import { NativeSelect, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Alert, acknowledgeAlert } from '../../data/alerts.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';

const HOUR_MS = 3_600_000;
/** How long an acknowledged alert can be silent, in hours; 0 for until it is resolved. */
const HOURS = [0, 1, 8, 24, 168];
/** Kinds that an acknowledgement also resolves: nothing else ends them. */
const ENDED_BY_IT = [
  'event-rejected',
  'alive-after-delete',
  'id-differs-by-case',
  'event-id-on-two-clusters',
];

interface AcknowledgeProps {
  readonly alert: Alert;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Acknowledges an alert, for good or for a time. */
export function Acknowledge({ alert, isOpen, onClose }: AcknowledgeProps) {
  const { t } = useTranslation('alerts');
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const [hours, setHours] = useState(0);
  const acknowledge = useMutation({
    mutationFn: acknowledgeAlert,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['alerts'] });
      onClose();
    },
  });
  const isEnded = ENDED_BY_IT.includes(alert.kind);
  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t('ask.title', { kind: t(`kind.${alert.kind}`) })}
      confirm={t('acknowledge')}
      isBusy={acknowledge.isPending}
      error={acknowledge.error}
      onConfirm={() =>
        acknowledge.mutate({
          id: alert.id,
          note: note.trim(),
          until: hours === 0 ? undefined : new Date(Date.now() + hours * HOUR_MS).toISOString(),
        })
      }
      onClose={onClose}
    >
      <Text size="sm">{t(isEnded ? 'ask.ends' : 'ask.effect')}</Text>
      {!isEnded && (
        <NativeSelect
          label={t('ask.silent')}
          value={String(hours)}
          onChange={({ currentTarget: { value } }) => setHours(Number(value))}
          data={HOURS.map((value) => ({ value: String(value), label: t(`ask.for.${value}`) }))}
        />
      )}
      <Textarea
        label={t('ask.note')}
        description={t('ask.noteHelp')}
        value={note}
        maxLength={1_000}
        autosize
        onChange={({ currentTarget: { value } }) => setNote(value)}
      />
    </ConfirmDialog>
  );
}
