import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import type { BeginBillingOut, BeginningOut } from '../../src/api/billing-beginning.ts';
import type { ClosePeriodOut, PeriodOut } from '../../src/api/periods.ts';
import type { PendingAdjustmentsOut, StatementList } from '../../src/api/statements.ts';
import { allPages } from './all-pages.ts';
import { RequestFailed } from './problem.ts';
import { path, request } from './request.ts';

export type Period = PeriodOut;
export type Beginning = z.output<typeof BeginningOut>;
type BeginBilling = z.output<typeof BeginBillingOut>;
type ClosePeriod = z.output<typeof ClosePeriodOut>;
type StatementPage = z.output<typeof StatementList>;
export type PendingAdjustments = z.output<typeof PendingAdjustmentsOut>;

/** The periods from the first that has statements to the current one. */
export const periodsQuery = queryOptions({
  queryKey: ['periods', 'all'],
  queryFn: ({ signal }) => allPages<Period>('/v1/periods', {}, signal),
});

/** The recorded beginning of statements, or null if there is none. */
export const beginningQuery = queryOptions({
  queryKey: ['periods', 'beginning'],
  queryFn: ({ signal }) =>
    request<Beginning>('/v1/billing/beginning', { signal }).catch((error: unknown) => {
      if (error instanceof RequestFailed && error.code === 'not-found') return null;
      throw error;
    }),
  // It is recorded once, so it is not read again with every event.
  meta: { isLive: false },
});

/** Returns the usage that a beginning would leave out; nothing is written. */
export const beginningPreviewQuery = (period: string) =>
  queryOptions({
    queryKey: ['periods', 'beginning', 'preview', period],
    queryFn: ({ signal }) =>
      request<BeginBilling>('/v1/billing/beginning', {
        method: 'POST',
        body: { period, reason: 'preview', dryRun: true },
        signal,
      }),
  });

export function beginBilling(body: { readonly period: string; readonly reason: string }) {
  return request<BeginBilling>('/v1/billing/beginning', { method: 'POST', body });
}

/** The statements that closing a period now would make; nothing is written. */
export const closingPreviewQuery = (period: string) =>
  queryOptions({
    queryKey: ['periods', 'closing-preview', period],
    queryFn: ({ signal }) =>
      request<ClosePeriod>(path`/v1/periods/${period}/close`, {
        method: 'POST',
        body: { dryRun: true },
        signal,
      }),
  });

export function closePeriod({ period, early }: { readonly period: string; readonly early: boolean }) {
  return request<ClosePeriod>(path`/v1/periods/${period}/close`, { method: 'POST', body: { early } });
}

/** The adjustments of closed periods that the next closing would make. */
export const pendingAdjustmentsQuery = queryOptions({
  queryKey: ['periods', 'pending-adjustments'],
  queryFn: ({ signal }) => request<PendingAdjustments>('/v1/adjustments', { signal }),
});

/** The statements of a closed period, page by page. */
export const statementListQuery = (period: string) =>
  infiniteQueryOptions({
    queryKey: ['statements', period, 'all'],
    queryFn: ({ signal, pageParam }) =>
      request<StatementPage>(path`/v1/periods/${period}/statements`, {
        query: { limit: 200, cursor: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });

/** Reads all statements of a closed period. */
export function allStatements(period: string): Promise<StatementPage['items']> {
  return allPages(path`/v1/periods/${period}/statements`, {}) as Promise<StatementPage['items']>;
}
