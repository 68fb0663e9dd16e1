import { useTranslation } from 'react-i18next';
import { Notice } from '../../ui/notice.tsx';

/** Says that usage from before the beginning is on no statement. @param period the first that has statements, if the window begins before it */
export function BeforeBeginning({ period }: { readonly period: string | undefined }) {
  const { t } = useTranslation('usage');
  if (period === undefined) return null;
  return (
    <Notice severity="warning" title={t('beforeBeginning', { period })}>
      {t('beforeBeginningDetail')}
    </Notice>
  );
}
