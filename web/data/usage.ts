import { queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import type { ExplanationOut } from '../../src/api/explain.ts';
import type { FactRef } from '../../src/api/fact-ref.ts';
import type { FactEventOut } from '../../src/api/feed.ts';
import type { StatementOut } from '../../src/api/statements.ts';
import type { AccountUsageOut, UsageList, UsageOut } from '../../src/api/usage.ts';
import { path, request, send } from './request.ts';

export type Usage = z.output<typeof UsageOut>;
export type AccountUsage = z.output<typeof AccountUsageOut>;
export type UsageOfAccounts = z.output<typeof UsageList>;
export type Explanation = z.output<typeof ExplanationOut>;
export type ExplainedCluster = Explanation['clusters'][number];
export type ExplainedInterval = ExplainedCluster['intervals'][number];
export type Fact = FactRef;
export type FactEvent = FactEventOut;
export type Statement = z.output<typeof StatementOut>;

/** A UTC month, and the position or instant whose knowledge counts; by default all. */
export interface UsageQuestion {
  readonly period: string;
  readonly asOf?: string | undefined;
}

/** The usage of every account in a period. */
export const usageQuery = ({ period, asOf }: UsageQuestion) =>
  queryOptions({
    queryKey: ['usage', 'all', period, asOf],
    queryFn: ({ signal }) => request<UsageOfAccounts>('/v1/usage', { query: { period, asOf }, signal }),
  });

/** The usage of every account in a window. */
export const usageInWindowQuery = ({ from, to }: { readonly from: string; readonly to: string }) =>
  queryOptions({
    queryKey: ['usage', 'window', from, to],
    queryFn: ({ signal }) => request<UsageOfAccounts>('/v1/usage', { query: { from, to }, signal }),
  });

export const accountUsageQuery = (accountId: string, { period, asOf }: UsageQuestion) =>
  queryOptions({
    queryKey: ['usage', 'account', accountId, period, asOf],
    queryFn: ({ signal }) =>
      request<AccountUsage>(path`/v1/accounts/${accountId}/usage`, { query: { period, asOf }, signal }),
  });

/** The same, with each UTC day. */
export const dailyUsageQuery = (accountId: string, { period, asOf }: UsageQuestion) =>
  queryOptions({
    queryKey: ['usage', 'days', accountId, period, asOf],
    queryFn: ({ signal }) =>
      request<AccountUsage>(path`/v1/accounts/${accountId}/usage`, {
        query: { period, asOf, granularity: 'day' },
        signal,
      }),
  });

/** The usage of an account broken down to clusters, intervals and facts. */
export const explanationQuery = (accountId: string, { period, asOf }: UsageQuestion) =>
  queryOptions({
    queryKey: ['usage', 'explanation', accountId, period, asOf],
    queryFn: ({ signal }) =>
      request<Explanation>(path`/v1/accounts/${accountId}/usage/explain`, {
        query: { period, asOf },
        signal,
      }),
  });

/** Returns the explanation as CSV: a row for each interval, with its facts. */
export async function explanationCsv(accountId: string, { period, asOf }: UsageQuestion): Promise<string> {
  const response = await send(path`/v1/accounts/${accountId}/usage/explain`, {
    query: { period, asOf },
    accept: 'text/csv',
  });
  return response.text();
}

export const statementQuery = (accountId: string, period: string) =>
  queryOptions({
    queryKey: ['statements', period, accountId],
    queryFn: ({ signal }) =>
      request<Statement>(path`/v1/periods/${period}/statements/${accountId}`, { signal }),
  });

/** Returns a statement as CSV: a row for each line. */
export async function statementCsv(accountId: string, period: string): Promise<string> {
  const response = await send(path`/v1/periods/${period}/statements/${accountId}`, { accept: 'text/csv' });
  return response.text();
}

/** A recorded fact, which never changes. */
export const factQuery = (eventId: string) =>
  queryOptions({
    queryKey: ['facts', eventId],
    queryFn: ({ signal }) => request<FactEvent>(path`/v1/events/${eventId}`, { signal }),
    meta: { isLive: false },
    staleTime: Number.POSITIVE_INFINITY,
  });
