import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import type { Period } from '../../data/periods.ts';
import { monthName } from '../../ui/months.ts';
import { Notice } from '../../ui/notice.tsx';
import { Instant, useNow } from '../../ui/times.tsx';

interface NextToCloseProps {
  readonly period: Period;
  readonly onPreview: () => void;
  readonly onClose: () => void;
}

/** Says which period closes next, and whether it is safe to close it now. */
export function NextToClose({ period, onPreview, onClose }: NextToCloseProps) {
  const { t, i18n } = useTranslation('periods');
  const mayCall = useMayCall();
  const now = useNow();
  const name = monthName(period.period, i18n.language);
  const hasEnded = Date.parse(period.window.to) <= now;
  const isDue = period.state === 'due';
  const actions = hasEnded && mayCall('closePeriod') && (
    <>
      <Button size="xs" onClick={onPreview} variant={isDue ? 'default' : 'filled'}>
        {t('previewOf', { period: period.period })}
      </Button>
      {isDue && (
        <Button size="xs" onClick={onClose}>
          {t('closeOf', { period: period.period })}
        </Button>
      )}
    </>
  );
  return (
    <Notice
      severity={isDue ? 'warning' : 'good'}
      title={t(isDue ? 'next.due' : hasEnded ? 'next.grace' : 'next.open', { name })}
      {...(actions !== false && { action: actions })}
    >
      {isDue ? (
        t('next.dueDetail')
      ) : (
        <>
          {t('next.dueAt')} <Instant at={period.dueAt} />
        </>
      )}
    </Notice>
  );
}
