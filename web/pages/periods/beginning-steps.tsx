import { Button, Group, Paper, Stack, Stepper, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { beginBilling, type Period } from '../../data/periods.ts';
import { monthName, monthOf } from '../../ui/months.ts';
import { PeriodPicker } from '../../ui/period-picker.tsx';
import { Failed } from '../../ui/states.tsx';
import { LeftOut } from './left-out.tsx';

interface BeginningStepsProps {
  /** The earliest period with usage. */
  readonly first: Period;
  readonly onDone: () => void;
}

/** The guided beginning of a platform that existed before: from which month, what is left out, and the confirmation. */
export default function BeginningSteps({ first, onDone }: BeginningStepsProps) {
  const { t, i18n } = useTranslation('periods');
  const client = useQueryClient();
  const [step, setStep] = useState(0);
  const [period, setPeriod] = useState(monthOf(Date.now()));
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step is read from its beginning.
  useEffect(() => heading.current?.focus(), [step]);
  const beginning = useMutation({
    mutationFn: () => beginBilling({ period, reason: reason.trim() }),
    onSuccess: async () => {
      await client.invalidateQueries();
      onDone();
    },
  });
  const name = monthName(period, i18n.language);
  const canConfirm = typed.trim() === period && reason.trim() !== '';
  const titles = [t('begin.month'), t('begin.leftOut'), t('begin.confirm')] as const;
  return (
    <Paper component="section" withBorder p="md" aria-labelledby="begin">
      <Stack gap="md">
        <Title order={2} id="begin" tabIndex={-1} ref={heading}>
          {t('begin.title', { step: titles[step] })}
        </Title>
        <Stepper active={step} size="sm" allowNextStepsSelect={false} onStepClick={setStep}>
          {titles.map((title) => (
            <Stepper.Step key={title} label={title} />
          ))}
        </Stepper>
        {step === 0 && (
          <>
            <Text size="sm">{t('begin.monthDetail', { first: monthName(first.period, i18n.language) })}</Text>
            <PeriodPicker value={period} onChange={setPeriod} label={t('begin.firstMonth')} />
          </>
        )}
        {step === 1 && <LeftOut period={period} />}
        {step === 2 && (
          <form
            id="begin-form"
            onSubmit={(event) => {
              event.preventDefault();
              if (canConfirm) beginning.mutate();
            }}
          >
            <Stack gap="md">
              <Text size="sm">{t('begin.confirmDetail', { name })}</Text>
              <TextInput
                label={t('begin.reason')}
                description={t('begin.reasonDetail')}
                value={reason}
                maxLength={1_000}
                onChange={({ currentTarget }) => setReason(currentTarget.value)}
                required
              />
              <TextInput
                label={t('closing.type', { period })}
                value={typed}
                onChange={({ currentTarget }) => setTyped(currentTarget.value)}
                autoComplete="off"
                required
              />
              {beginning.error !== null && <Failed error={beginning.error} />}
            </Stack>
          </form>
        )}
        <Group>
          <Button variant="default" onClick={step === 0 ? onDone : () => setStep(step - 1)}>
            {step === 0 ? t('common:dialog.cancel') : t('begin.back')}
          </Button>
          {step < 2 ? (
            <Button onClick={() => setStep(step + 1)}>{t('begin.continue')}</Button>
          ) : (
            <Button type="submit" form="begin-form" disabled={!canConfirm} loading={beginning.isPending}>
              {t('begin.do', { period })}
            </Button>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}
