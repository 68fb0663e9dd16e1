import { infiniteQueryOptions } from '@tanstack/react-query';
import type { ClusterOut } from '../../src/api/clusters.ts';
import { type Query, request } from './request.ts';

export type Cluster = ClusterOut;
interface ClusterPage {
  readonly items: readonly Cluster[];
  readonly next?: string;
}

/** The list of clusters, page by page. @param query filters and order */
export const clusterListQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['clusters', 'list', query],
    queryFn: ({ signal, pageParam }) =>
      request<ClusterPage>('/v1/clusters', { query: { ...query, limit: 500, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });
