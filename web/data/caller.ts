import { queryOptions, useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type { CallerOut, ReadinessOut } from '../../src/api/operations.ts';
import { problemOf } from './problem.ts';
import { request } from './request.ts';

/** Who uses the console. */
export type Caller = z.output<typeof CallerOut>;
/** Decides what a caller may do: producers post facts, customers see their own account, and so on. */
export type Role = Caller['role'];

export const callerQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => request<Caller>('/v1/me', { signal }),
  staleTime: 60_000,
  meta: { isLive: false },
});

/** Returns the caller. Use it below the shell, which shows pages only once the caller is known. */
export function useCaller(): Caller {
  const { data } = useQuery(callerQuery);
  if (data === undefined) throw new Error('the caller is not known yet');
  return data;
}

/** Returns whether the caller has one of the roles. An operator may do everything. */
export function useMay(...roles: readonly Role[]): boolean {
  const { role } = useCaller();
  return role === 'operator' || roles.includes(role);
}

/** The checks of the ledger, which also answer while it is not ready. */
export const readinessQuery = queryOptions({
  queryKey: ['readyz'],
  queryFn: async ({ signal }): Promise<ReadinessOut> => {
    const response = await fetch('/readyz', { signal });
    if (response.status !== 200 && response.status !== 503) throw await problemOf(response);
    return (await response.json()) as ReadinessOut;
  },
  refetchInterval: 15_000,
});
