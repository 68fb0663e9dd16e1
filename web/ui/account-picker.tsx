import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountsQuery } from '../data/accounts.ts';
import { useCaller } from '../data/caller.ts';

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
  const listId = useId();
  const [text, setText] = useState(value ?? '');
  useEffect(() => setText(value ?? ''), [value]);
  if (isCustomer) return null;
  const choose = (chosen: string) => {
    const id = chosen.trim();
    if (id !== (value ?? '')) onChange(id === '' ? undefined : id);
  };
  return (
    <>
      <TextInput
        type="search"
        label={t('pick.account')}
        placeholder={t('pick.allAccounts')}
        value={text}
        list={listId}
        onChange={({ currentTarget: { value: typed }, nativeEvent }) => {
          setText(typed);
          // An account that is chosen from the list comes at once, and so does the end of the choice.
          if (
            typed === '' ||
            !('inputType' in nativeEvent) ||
            nativeEvent.inputType === 'insertReplacementText'
          )
            choose(typed);
        }}
        onBlur={() => choose(text)}
        onKeyDown={({ key }) => key === 'Enter' && choose(text)}
        w={260}
        maw="100%"
      />
      <datalist id={listId}>
        {accounts.map(({ accountId }) => (
          <option key={accountId} value={accountId} />
        ))}
      </datalist>
    </>
  );
}

/** Returns the account of the page: that of the address, or the own one of a customer. */
export function useAccountOf(chosen: string | undefined): string | undefined {
  const { role, accountId } = useCaller();
  return role === 'customer' ? accountId : chosen === '' ? undefined : chosen;
}
