import { queryOptions } from '@tanstack/react-query';
import type { KeyOut, NewKeyOut } from '../../src/api/keys.ts';
import { allPages } from './all-pages.ts';
import type { Role } from './caller.ts';
import { path, request } from './request.ts';

export type Key = KeyOut;

/** Every API key, in the order of creation. */
export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => allPages<Key>('/v1/keys', {}, signal),
  // No event of the stream says that a key was created elsewhere.
  refetchInterval: 30_000,
});

/** A key that is to be created. */
export interface KeyCreation {
  readonly name: string;
  readonly role: Role;
  readonly accountId?: string;
  readonly expiresAt: string;
}

/** Creates a key. The answer is the only one that has its secret. */
export function createKey(body: KeyCreation): Promise<NewKeyOut> {
  return request('/v1/keys', { method: 'POST', body });
}

export function revokeKey({ id, reason }: { readonly id: string; readonly reason: string }): Promise<Key> {
  return request(path`/v1/keys/${id}/revoke`, { method: 'POST', body: reason === '' ? {} : { reason } });
}
