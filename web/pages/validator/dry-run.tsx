import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { dryRun } from '../../data/validator.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed, LinesSkeleton } from '../../ui/states.tsx';
import { Conclusions, Verdicts } from './conclusions.tsx';
import { VerdictBar } from './verdict-bar.tsx';

/** Probes every cluster, and shows what a run would do. */
export function DryRun({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation('validator');
  const { data: plan, error, mutate, reset } = useMutation({ mutationFn: dryRun });
  useEffect(() => {
    if (isOpen) mutate();
    else reset();
  }, [isOpen, mutate, reset]);
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t('dryRun.title')} size="xl">
      <Stack>
        <Text size="sm" c="dimmed">
          {t('dryRun.lead')}
        </Text>
        {error !== null && <Failed error={error} onRetry={() => mutate()} />}
        {error === null && plan === undefined && <LinesSkeleton lines={4} />}
        {plan !== undefined && (
          <>
            <VerdictBar counts={plan.counts} label={t('dryRun.title')} />
            {plan.withheld && <Notice severity="warning" title={t('withheld')} />}
            {plan.facts.length + plan.wouldHave.length === 0 && (
              <Notice severity="good" title={t('dryRun.nothing')} />
            )}
            <Conclusions title={t('dryRun.facts')} facts={plan.facts} prefix="dry." />
            <Conclusions title={t('wouldHave')} facts={plan.wouldHave} prefix="dryWould." />
            <Verdicts title={t('verdictsTitle')} verdicts={plan.verdicts} />
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common:dialog.close')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
