import { Anchor } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Notice } from '../ui/notice.tsx';

/** Says that no page has this address. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <Notice title={t('notFound.title')}>
      <Anchor href="/">{t('notFound.overview')}</Anchor>
    </Notice>
  );
}
