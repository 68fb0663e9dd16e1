import { Anchor } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../ui/page-header.tsx';

/** Says that no page has this address. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t('notFound.title')} />
      <Anchor href="/">{t('notFound.overview')}</Anchor>
    </>
  );
}
