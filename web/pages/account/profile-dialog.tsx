import { ActionIcon, Button, Fieldset, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Account, type AccountProfile, describeAccount } from '../../data/accounts.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Icon } from '../../ui/icons.tsx';

/** A line of a list of names and values that is being edited. */
interface Entry {
  readonly key: number;
  readonly name: string;
  readonly value: string;
}

let lastKey = 0;

const entriesOf = (record: Readonly<Record<string, string | number>> = {}): readonly Entry[] =>
  Object.entries(record).map(([name, value]) => ({ key: ++lastKey, name, value: String(value) }));

/** Returns the profile of what was entered. Lines without a name or a value are left out. */
function profileOf(name: string, ids: readonly Entry[], limits: readonly Entry[]): AccountProfile {
  const filled = (entries: readonly Entry[]) =>
    entries
      .map((entry) => [entry.name.trim(), entry.value.trim()] as const)
      .filter(([key, value]) => key !== '' && value !== '');
  const externalIds = Object.fromEntries(filled(ids));
  const limitsOf = Object.fromEntries(filled(limits).map(([type, limit]) => [type, Number(limit)]));
  return {
    ...(name.trim() !== '' && { name: name.trim() }),
    ...(Object.keys(externalIds).length > 0 && { externalIds }),
    ...(Object.keys(limitsOf).length > 0 && { limits: limitsOf }),
  };
}

/** Edits the profile of an account: its name, its ids in other systems, and the limits of its plan. */
export function ProfileDialog({
  account,
  onClose,
}: {
  readonly account: Account;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation('account');
  const client = useQueryClient();
  const [name, setName] = useState(account.name ?? '');
  const [ids, setIds] = useState(() => entriesOf(account.externalIds));
  const [limits, setLimits] = useState(() => entriesOf(account.limits));
  const saving = useMutation({
    mutationFn: () => describeAccount(account.accountId, profileOf(name, ids, limits)),
    onSuccess: async () => {
      await client.invalidateQueries();
      onClose();
    },
  });
  return (
    <ConfirmDialog
      isOpen
      title={t('profile.title', { account: account.accountId })}
      confirm={t('profile.save')}
      isBusy={saving.isPending}
      error={saving.error}
      onConfirm={() => saving.mutate()}
      onClose={onClose}
    >
      <TextInput
        label={t('profile.name')}
        value={name}
        maxLength={253}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        data-autofocus
      />
      <Entries
        title={t('profile.limits')}
        nameLabel={t('profile.type')}
        valueLabel={t('profile.limit')}
        add={t('profile.addLimit')}
        entries={limits}
        onChange={setLimits}
        isNumber
      />
      <Entries
        title={t('externalIds.title')}
        nameLabel={t('profile.system')}
        valueLabel={t('profile.id')}
        add={t('profile.addId')}
        entries={ids}
        onChange={setIds}
      />
    </ConfirmDialog>
  );
}

interface EntriesProps {
  readonly title: string;
  readonly nameLabel: string;
  readonly valueLabel: string;
  readonly add: string;
  readonly entries: readonly Entry[];
  readonly onChange: (entries: readonly Entry[]) => void;
  readonly isNumber?: boolean;
}

function Entries({ title, nameLabel, valueLabel, add, entries, onChange, isNumber = false }: EntriesProps) {
  const { t } = useTranslation('account');
  const id = useId();
  const change = (key: number, part: Partial<Entry>) =>
    onChange(entries.map((entry) => (entry.key === key ? { ...entry, ...part } : entry)));
  return (
    <Fieldset legend={title}>
      <Stack gap="xs">
        {entries.map(({ key, name, value }, i) => (
          <Group key={key} gap="xs" align="flex-end" wrap="nowrap">
            <TextInput
              id={`${id}-name-${i}`}
              label={nameLabel}
              value={name}
              maxLength={64}
              onChange={({ currentTarget }) => change(key, { name: currentTarget.value })}
              flex={1}
            />
            {isNumber ? (
              <TextInput
                type="number"
                id={`${id}-value-${i}`}
                label={valueLabel}
                value={value}
                min={0}
                max={1_000_000}
                step={1}
                onChange={({ currentTarget: { value: number } }) => change(key, { value: number })}
                w={110}
              />
            ) : (
              <TextInput
                id={`${id}-value-${i}`}
                label={valueLabel}
                value={value}
                maxLength={255}
                onChange={({ currentTarget }) => change(key, { value: currentTarget.value })}
                flex={1}
              />
            )}
            <ActionIcon
              variant="default"
              size={36}
              aria-label={t('profile.remove', { name: name === '' ? nameLabel : name })}
              onClick={() => onChange(entries.filter((entry) => entry.key !== key))}
            >
              <Icon name="close" size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button
            variant="default"
            size="xs"
            onClick={() => onChange([...entries, { key: ++lastKey, name: '', value: '' }])}
          >
            {add}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
