import { Checkbox, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { closePeriod, closingPreviewQuery, type Period } from '../../data/periods.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Count, Seconds } from '../../ui/figures.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';

interface CloseDialogProps {
  readonly period: Period;
  readonly onDone: (period: string) => void;
  readonly onCancel: () => void;
}

/** Closes a period for good, once its name is typed in full. */
export function CloseDialog({ period: { period, state }, onDone, onCancel }: CloseDialogProps) {
  const { t } = useTranslation('periods');
  const client = useQueryClient();
  const [typed, setTyped] = useState('');
  const [isEarly, setEarly] = useState(false);
  const preview = useQuery(closingPreviewQuery(period));
  const inGrace = state !== 'due';
  const closing = useMutation({
    mutationFn: () => closePeriod({ period, early: inGrace }),
    onSuccess: async () => {
      await client.invalidateQueries();
      onDone(period);
    },
  });
  const canConfirm = typed.trim() === period && (!inGrace || isEarly) && preview.data !== undefined;
  return (
    <ConfirmDialog
      isOpen
      title={t('closing.title', { period })}
      confirm={t('closing.confirm')}
      isDestructive
      isBusy={closing.isPending}
      canConfirm={canConfirm}
      error={closing.error}
      onConfirm={() => closing.mutate()}
      onClose={onCancel}
    >
      <Text size="sm">{t('closing.detail')}</Text>
      <Loaded query={preview} skeleton={<LinesSkeleton lines={1} height={24} />}>
        {({ accounts, totals }) => (
          <Text size="sm">
            <Trans
              t={t}
              i18nKey="closing.effect"
              components={{
                accounts: <Count value={accounts} />,
                clusters: <Count value={totals.billableClusters} />,
                time: <Seconds value={totals.clusterSeconds} />,
              }}
            />
          </Text>
        )}
      </Loaded>
      {inGrace && (
        <Checkbox
          label={t('closing.early')}
          description={t('closing.earlyDetail')}
          checked={isEarly}
          onChange={({ currentTarget }) => setEarly(currentTarget.checked)}
        />
      )}
      <TextInput
        label={t('closing.type', { period })}
        value={typed}
        onChange={({ currentTarget }) => setTyped(currentTarget.value)}
        autoComplete="off"
        data-autofocus
      />
    </ConfirmDialog>
  );
}
