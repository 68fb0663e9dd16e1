import { Button, Group, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { CopyText } from '../../ui/copy-text.tsx';
import { Notice } from '../../ui/notice.tsx';

/** A secret that is shown only once. */
export function Secret({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const { t } = useTranslation('delivery');
  return (
    <Stack>
      <Notice severity="warning" title={t('secret.once')}>
        {t('secret.detail')}
      </Notice>
      <CopyText text={secret} label={t('secret.title')} />
      <Group justify="flex-end">
        <Button onClick={onClose}>{t('secret.kept')}</Button>
      </Group>
    </Stack>
  );
}
