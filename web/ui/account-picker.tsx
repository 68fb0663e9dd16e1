import { Autocomplete } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountsQuery } from '../data/accounts.ts';
import { useCaller } from '../data/caller.ts';

/** Number of accounts that are offered at once; what is typed narrows them. */
const MAX_OFFERED = 30;

interface AccountPickerProps {
  readonly value: string | undefined;
  readonly onChange: (accountId: string | undefined) => void;
}

/** The choice of an account: typed, or chosen from those that are known. A customer has one account and nothing to choose. */
export function AccountPicker({ value, onChange }: AccountPickerProps) {
  const { t } = useTranslation();
  const { role } = useCaller();
  const isCustomer = role === 'customer';
  const { data: accounts = [] } = useQuery({ ...accountsQuery, enabled: !isCustomer });
  const [text, setText] = useState(value ?? '');
  useEffect(() => setText(value ?? ''), [value]);
  if (isCustomer) return null;
  const choose = (chosen: string) => {
    const id = chosen.trim();
    if (id !== (value ?? '')) onChange(id === '' ? undefined : id);
  };
  return (
    <Autocomplete
      label={t('pick.account')}
      placeholder={t('pick.allAccounts')}
      value={text}
      onChange={setText}
      onOptionSubmit={choose}
      onBlur={() => choose(text)}
      onKeyDown={({ key }) => key === 'Enter' && choose(text)}
      data={accounts.map(({ accountId }) => accountId)}
      limit={MAX_OFFERED}
      maxDropdownHeight={280}
      w={260}
      maw="100%"
      clearable
      clearButtonProps={{ 'aria-label': t('pick.allAccounts') }}
      onClear={() => onChange(undefined)}
    />
  );
}

/** Returns the account of the page: that of the address, or the own one of a customer. */
export function useAccountOf(chosen: string | undefined): string | undefined {
  const { role, accountId } = useCaller();
  return role === 'customer' ? accountId : chosen === '' ? undefined : chosen;
}
