import { Button } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Notice } from '../ui/notice.tsx';
import { PageSkeleton } from '../ui/states.tsx';

/** A page whose script is being loaded. */
export function PagePending() {
  return <PageSkeleton />;
}

/** A page that failed. Its script may be of an older version of the ledger, and no longer there. */
export function PageFailed({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <Notice
      severity="critical"
      title={t('pageFailed.title')}
      action={<Button onClick={() => location.reload()}>{t('pageFailed.reload')}</Button>}
    >
      {String(error)}
    </Notice>
  );
}
