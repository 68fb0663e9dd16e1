import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import type { ClusterBillingOut, ClusterOut } from '../../src/api/clusters.ts';
import type { FactEventOut } from '../../src/api/feed.ts';
import { path, type Query, request } from './request.ts';

export type Cluster = ClusterOut;
export type ClusterBilling = z.output<typeof ClusterBillingOut>;
export type Fact = FactEventOut;

interface ClusterPage {
  readonly items: readonly Cluster[];
  readonly total?: number;
  readonly next?: string;
}

/** Number of rows of the first page, which is on the screen soon, and of the following ones. */
const FIRST_ROWS = 100;
const MORE_ROWS = 1_000;

/**
 * The list of clusters, page by page, with the billed time of the period. A list stays as it was when its first page was read: read it
 * again to see what has changed since. @param query filters and order
 */
export const clusterListQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['clusters', 'list', query],
    queryFn: ({ signal, pageParam }) =>
      request<ClusterPage>('/v1/clusters', {
        query: {
          ...query,
          billedTime: true,
          total: true,
          limit: pageParam === undefined ? FIRST_ROWS : MORE_ROWS,
          cursor: pageParam,
        },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    meta: { isLive: false },
  });

/** Reads all pages of the list of clusters. */
export async function allClusters(query: Query): Promise<readonly Cluster[]> {
  const items: Cluster[] = [];
  let cursor: string | undefined;
  do {
    const page = await request<ClusterPage>('/v1/clusters', {
      query: { ...query, billedTime: true, total: true, limit: MORE_ROWS, cursor },
    });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

export const clusterQuery = (clusterId: string) =>
  queryOptions({
    queryKey: ['clusters', 'one', clusterId],
    queryFn: ({ signal }) => request<Cluster>(path`/v1/clusters/${clusterId}`, { signal }),
  });

/** The billed intervals of a cluster. */
export const clusterBillingQuery = (clusterId: string) =>
  queryOptions({
    queryKey: ['clusters', 'billing', clusterId],
    queryFn: ({ signal }) => request<ClusterBilling>(path`/v1/clusters/${clusterId}/billing`, { signal }),
  });

/** Number of facts that a page of a cluster shows. */
const MAX_FACTS = 1_000;

/** The first facts of a cluster in the order in which they were recorded; `next` is set if there are more. */
export const clusterFactsQuery = (clusterId: string) =>
  queryOptions({
    queryKey: ['clusters', 'facts', clusterId],
    queryFn: ({ signal }) =>
      request<{ readonly items: readonly Fact[]; readonly next?: string }>(
        path`/v1/clusters/${clusterId}/events`,
        {
          query: { limit: MAX_FACTS },
          signal,
        },
      ),
  });
