import { Box } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { readinessQuery } from '../data/caller.ts';
import { Notice } from '../ui/notice.tsx';

/** Says that the ledger records nothing at the moment, and why. */
export function ReadOnlyBanner() {
  const { t } = useTranslation('shell');
  const { data } = useQuery(readinessQuery);
  const failed = data === undefined ? [] : [data.checks.log, data.checks.store].filter(({ ok }) => !ok);
  if (failed.length === 0) return null;
  return (
    <Box mb="md">
      <Notice severity="critical" title={t('readOnly')}>
        {failed.map(({ detail }) => detail).join('; ')}
      </Notice>
    </Box>
  );
}
