import { Button, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { deleteWebhook, rotateSecret, setEnabled, testWebhook, type Webhook } from '../../data/webhooks.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed } from '../../ui/states.tsx';
import { Secret } from './secret.tsx';

/** The actions that an operator has for a webhook. */
export function WebhookActions({ webhook }: { readonly webhook: Webhook }) {
  const { t } = useTranslation('delivery');
  const mayCall = useMayCall();
  const [open, setOpen] = useState<'rotate' | 'delete' | 'disable'>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const readAgain = () => client.invalidateQueries({ queryKey: ['webhooks'] });
  const close = () => setOpen(undefined);
  const { webhookId, state } = webhook;
  const rotate = useMutation({ mutationFn: () => rotateSecret(webhookId), onSuccess: readAgain });
  const enable = useMutation({
    mutationFn: setEnabled,
    onSuccess: async () => {
      await readAgain();
      close();
    },
  });
  const remove = useMutation({
    mutationFn: () => deleteWebhook(webhookId),
    onSuccess: async () => {
      await navigate({ to: '/delivery' });
      await client.invalidateQueries({ queryKey: ['webhooks', 'list'] });
    },
  });
  const closeRotated = () => {
    close();
    rotate.reset();
  };
  return (
    <>
      {mayCall('testWebhook') && <SendTest webhookId={webhookId} />}
      {mayCall('rotateWebhookSecret') && (
        <Button variant="default" size="xs" onClick={() => setOpen('rotate')}>
          {t('rotate.button')}
        </Button>
      )}
      {mayCall('changeWebhook') &&
        (state === 'disabled' ? (
          <Button
            size="xs"
            loading={enable.isPending}
            onClick={() => enable.mutate({ webhook, enabled: true })}
          >
            {t('enable')}
          </Button>
        ) : (
          <Button variant="default" size="xs" onClick={() => setOpen('disable')}>
            {t('disable.button')}
          </Button>
        ))}
      {mayCall('deleteWebhook') && (
        <Button variant="default" size="xs" onClick={() => setOpen('delete')}>
          {t('delete.button')}
        </Button>
      )}
      {rotate.data === undefined ? (
        <ConfirmDialog
          isOpen={open === 'rotate'}
          title={t('rotate.title')}
          confirm={t('rotate.button')}
          isBusy={rotate.isPending}
          error={rotate.error}
          onConfirm={() => rotate.mutate()}
          onClose={close}
        >
          <Text size="sm">{t('rotate.effect')}</Text>
        </ConfirmDialog>
      ) : (
        <Dialog onClose={closeRotated} title={t('secret.title')} isKept size="lg">
          <Secret secret={rotate.data.secret} onClose={closeRotated} />
        </Dialog>
      )}
      <ConfirmDialog
        isOpen={open === 'disable'}
        title={t('disable.title')}
        confirm={t('disable.button')}
        isBusy={enable.isPending}
        error={enable.error}
        onConfirm={() => enable.mutate({ webhook, enabled: false })}
        onClose={close}
      >
        <Text size="sm">{t('disable.effect')}</Text>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={open === 'delete'}
        title={t('delete.title')}
        confirm={t('delete.button')}
        isDestructive
        isBusy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={close}
      >
        <Text size="sm">{t('delete.effect')}</Text>
        <Text size="sm" className="name">
          {webhook.url}
        </Text>
      </ConfirmDialog>
    </>
  );
}

/** Sends a test event, and shows what the receiver answered. */
function SendTest({ webhookId }: { readonly webhookId: string }) {
  const { t } = useTranslation('delivery');
  const test = useMutation({ mutationFn: () => testWebhook(webhookId) });
  const { data, error } = test;
  return (
    <>
      <Button size="xs" loading={test.isPending} onClick={() => test.mutate()}>
        {t('test.button')}
      </Button>
      <Dialog isOpen={data !== undefined || error !== null} onClose={test.reset} title={t('test.title')}>
        {error !== null && <Failed error={error} />}
        {data !== undefined && (
          <Notice
            severity={data.delivered ? 'good' : 'critical'}
            title={t(data.delivered ? 'test.delivered' : 'test.failed')}
          >
            {[data.status !== undefined ? t('test.status', { status: data.status }) : undefined, data.error]
              .filter((text) => text !== undefined)
              .join(' ')}{' '}
            {t('test.took', { ms: data.durationMs })}
          </Notice>
        )}
      </Dialog>
    </>
  );
}
