import { queryOptions } from '@tanstack/react-query';
import type { AccountOut } from '../../src/api/accounts.ts';
import { allPages } from './all-pages.ts';
import { path, request } from './request.ts';

export type Account = AccountOut;
/** The part of an account that operators write. */
export type AccountProfile = Pick<Account, 'name' | 'externalIds' | 'limits'>;

/** Every account, in the order of their ids. */
export const accountsQuery = queryOptions({
  queryKey: ['accounts', 'all'],
  queryFn: ({ signal }) => allPages<Account>('/v1/accounts', {}, signal),
});

export const accountQuery = (accountId: string) =>
  queryOptions({
    queryKey: ['accounts', 'one', accountId],
    queryFn: ({ signal }) => request<Account>(path`/v1/accounts/${accountId}`, { signal }),
  });

/** Replaces the whole profile of an account. */
export function describeAccount(accountId: string, profile: AccountProfile): Promise<Account> {
  return request(path`/v1/accounts/${accountId}`, { method: 'PUT', body: profile });
}
