import { Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Role } from '../../data/caller.ts';
import { createKey, keysQuery } from '../../data/keys.ts';
import { CopyText } from '../../ui/copy-text.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed } from '../../ui/states.tsx';

const ROLES: readonly Role[] = ['auditor', 'billing', 'producer', 'customer', 'operator'];
const DAYS = [30, 90, 180, 365];
const DAY_MS = 86_400_000;
/** The clock of this browser may be a little ahead of the clock of the ledger, which allows 365 days. */
const MARGIN_MS = 600_000;

interface CreateKeyProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Creates a key, and shows it once. */
export function CreateKey({ isOpen, onClose }: CreateKeyProps) {
  const { t } = useTranslation('settings');
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: createKey,
    onSuccess: () => client.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  const close = () => {
    onClose();
    // The secret does not stay in memory.
    create.reset();
  };
  const created = create.data;
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title={t(created === undefined ? 'create.title' : 'create.done')}
      isKept={created !== undefined}
      size="lg"
    >
      {created === undefined ? (
        <Form onSubmit={create.mutate} isBusy={create.isPending} error={create.error} onClose={close} />
      ) : (
        <Stack>
          <Notice severity="warning" title={t('create.once')}>
            {t('create.onceDetail')}
          </Notice>
          <CopyText text={created.key} label={t('create.keyOf', { name: created.name })} />
          <Group justify="flex-end">
            <Button onClick={close}>{t('create.kept')}</Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}

interface FormProps {
  readonly onSubmit: (key: Parameters<typeof createKey>[0]) => void;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly onClose: () => void;
}

function Form({ onSubmit, isBusy, error, onClose }: FormProps) {
  const { t } = useTranslation('settings');
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('auditor');
  const [accountId, setAccountId] = useState('');
  const [days, setDays] = useState(365);
  const [isChecked, setChecked] = useState(false);
  const isCustomer = role === 'customer';
  const missingName = isChecked && name.trim() === '';
  const missingAccount = isChecked && isCustomer && accountId.trim() === '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (name.trim() === '' || (isCustomer && accountId.trim() === '')) return;
    onSubmit({
      name: name.trim(),
      role,
      ...(isCustomer && { accountId: accountId.trim() }),
      expiresAt: new Date(Date.now() + days * DAY_MS - MARGIN_MS).toISOString(),
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label={t('keys.name')}
          description={t('create.nameHelp')}
          value={name}
          maxLength={100}
          required
          data-autofocus
          error={missingName && t('create.nameMissing')}
          onChange={({ currentTarget: { value } }) => setName(value)}
        />
        <NativeSelect
          label={t('keys.role')}
          value={role}
          onChange={({ currentTarget: { value } }) => setRole(value as Role)}
          data={ROLES.map((value) => ({ value, label: t(`common:role.${value}`) }))}
        />
        <Text size="sm" c="dimmed" mt={-8}>
          {t(`you.does.${role}`)}
        </Text>
        {isCustomer && (
          <TextInput
            label={t('keys.account')}
            description={t('create.accountHelp')}
            value={accountId}
            required
            error={missingAccount && t('create.accountMissing')}
            onChange={({ currentTarget: { value } }) => setAccountId(value)}
          />
        )}
        <NativeSelect
          label={t('create.lifetime')}
          value={String(days)}
          onChange={({ currentTarget: { value } }) => setDays(Number(value))}
          data={DAYS.map((value) => ({ value: String(value), label: t('create.days', { count: value }) }))}
        />
        {error !== null && <Failed error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common:dialog.cancel')}
          </Button>
          <Button type="submit" loading={isBusy}>
            {t('keys.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
