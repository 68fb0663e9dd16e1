import { Button, Group, Stack, TagsInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { EVENT_TYPES } from '../../data/feed.ts';
import { createWebhook } from '../../data/webhooks.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Failed } from '../../ui/states.tsx';
import { Secret } from './secret.tsx';

/** Creates a webhook, and shows its secret once. */
export default function CreateWebhook({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation('delivery');
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: createWebhook,
    onSuccess: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  });
  const [url, setUrl] = useState('');
  const [description, setDescription] = useState('');
  const [types, setTypes] = useState<string[]>([]);
  const [isChecked, setChecked] = useState(false);
  const isValid = URL.parse(url) !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!isValid) return;
    create.mutate({ url, types, ...(description.trim() !== '' && { description: description.trim() }) });
  };
  return (
    <Dialog
      onClose={onClose}
      title={t(create.data === undefined ? 'create' : 'created')}
      isKept={create.data !== undefined}
      size="lg"
    >
      {create.data !== undefined ? (
        <Secret secret={create.data.secret} onClose={onClose} />
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack>
            <TextInput
              label={t('url')}
              description={t('urlHelp')}
              type="url"
              value={url}
              required
              data-autofocus
              error={isChecked && !isValid && t('urlMissing')}
              onChange={({ currentTarget: { value } }) => setUrl(value)}
            />
            <TextInput
              label={t('description')}
              value={description}
              maxLength={255}
              onChange={({ currentTarget: { value } }) => setDescription(value)}
            />
            <TagsInput
              label={t('types')}
              description={t('typesHelp')}
              data={EVENT_TYPES}
              value={types}
              onChange={setTypes}
              clearable
            />
            {create.error !== null && <Failed error={create.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                {t('common:dialog.cancel')}
              </Button>
              <Button type="submit" loading={create.isPending}>
                {t('create')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Dialog>
  );
}
