import { queryOptions } from '@tanstack/react-query';
import type { OverviewOut } from '../../src/api/overview.ts';
import { request } from './request.ts';

export type Overview = OverviewOut;

/** Reads what is billed now, what is wrong, and how far the month is. */
export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => request<OverviewOut>('/v1/overview', { signal }),
  // The validator and the clock raise alerts that no event announces.
  refetchInterval: 30_000,
});
