import { queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import type { DifferenceOut } from '../../src/api/diff.ts';
import type { ReplayLine as Line } from '../../src/api/replay.ts';
import { path, request, send, withQuery } from './request.ts';

export type ReplayLine = z.output<typeof Line>;
export type Difference = z.output<typeof DifferenceOut>;

/** The facts of an account in recorded order, with the usage of a period after each. */
export const replayQuery = (accountId: string, period: string) =>
  queryOptions({
    queryKey: ['replay', accountId, period],
    queryFn: async ({ signal }): Promise<readonly ReplayLine[]> => {
      const response = await send(path`/v1/accounts/${accountId}/replay`, {
        query: { period },
        accept: 'application/x-ndjson',
        signal,
      });
      const lines = (await response.text()).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as ReplayLine);
    },
  });

interface DiffQuestion {
  readonly period: string;
  /** A position, or an instant in UTC. */
  readonly before: string;
  readonly after: string | undefined;
}

/** The usage of a period as known at two positions, and the facts that make the difference. */
export const diffQuery = (accountId: string, { period, before, after }: DiffQuestion) =>
  queryOptions({
    queryKey: ['diff', accountId, period, before, after],
    queryFn: ({ signal }) =>
      request<Difference>(path`/v1/accounts/${accountId}/diff`, { query: { period, before, after }, signal }),
  });

/** Returns the address of the evidence file of a period. */
export function evidenceHref(accountId: string, period: string): string {
  return withQuery(path`/v1/accounts/${accountId}/evidence`, { period });
}

/** The public keys that the ledger publishes, one per line. */
export const logKeyQuery = queryOptions({
  queryKey: ['log-key'],
  queryFn: async ({ signal }) => (await send('/log/key', { accept: 'text/plain', signal })).text(),
  meta: { isLive: false },
});
