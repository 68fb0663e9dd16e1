import { queryOptions, useQuery } from '@tanstack/react-query';
import type { ReadinessOut } from '../../src/api/operations.ts';
import type { SessionOut } from '../../src/api/session.ts';
import { problemOf, RequestFailed } from './problem.ts';
import { request } from './request.ts';

export type Session = SessionOut;
/** Who uses the console, and what this person may do. */
export type Caller = NonNullable<Session['caller']> & Pick<Session, 'state' | 'may' | 'endsAt'>;
/** Decides what a caller may do: producers post facts, customers see their own account, and so on. */
export type Role = Caller['role'];

/** Who is signed in, and how one can sign in. Answers also if nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => request<Session>('/v1/session', { signal }),
  staleTime: 60_000,
  meta: { isLive: false },
});

export const callerQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }): Promise<Caller> => {
    const { caller, state, may, endsAt } = await request<Session>('/v1/session', { signal });
    if (caller === undefined) throw new RequestFailed(401, {});
    return { ...caller, state, may, ...(endsAt !== undefined && { endsAt }) };
  },
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

/**
 * Returns a function that says whether the caller may call an operation of the API, such as `createKey`. The ledger says it, so that
 * a page shows no control that would be rejected.
 */
export function useMayCall(): (operationId: string) => boolean {
  const { may } = useCaller();
  return (operationId) => may.includes(operationId);
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
