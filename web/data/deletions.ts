import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { DeletionOut, DeletionRequestOut, ListedDeletionOut } from '../../src/api/deletions.ts';
import { path, request } from './request.ts';

export type Deletion = DeletionOut;
export type ListedDeletion = ListedDeletionOut;
export type DeletionRequest = DeletionRequestOut;

interface Listed<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** How often deletions are read again: that one is stuck is announced by no event. */
const REFETCH_MS = 30_000;

/** The deletions of all clusters, latest first, page by page. */
export const deletionListQuery = infiniteQueryOptions({
  queryKey: ['deletions', 'list'],
  queryFn: ({ signal, pageParam }) =>
    request<Listed<ListedDeletion>>('/v1/deletions', { query: { limit: 100, cursor: pageParam }, signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ next }) => next,
  refetchInterval: REFETCH_MS,
});

/** The latest deletions of a cluster, latest first. */
export const clusterDeletionsQuery = (clusterId: string) =>
  queryOptions({
    queryKey: ['deletions', 'of', clusterId],
    queryFn: ({ signal }) =>
      request<Listed<Deletion>>(path`/v1/clusters/${clusterId}/deletions`, { query: { limit: 20 }, signal }),
    refetchInterval: REFETCH_MS,
  });

/** Requests a deletion: records that it was requested, and returns what it would do and the token that confirms it. */
export function requestDeletion(clusterId: string, reason: string): Promise<DeletionRequest> {
  const body = reason === '' ? {} : { reason };
  return request(path`/v1/clusters/${clusterId}/deletions`, { method: 'POST', body });
}

/** Confirms a deletion. @param name the name of the cluster, as it was typed */
export function confirmDeletion(
  { clusterId, deletionId, confirmationToken }: DeletionRequest,
  name: string,
): Promise<Deletion> {
  return request(path`/v1/clusters/${clusterId}/deletions/${deletionId}/confirm`, {
    method: 'POST',
    body: { name, confirmationToken },
  });
}

export function cancelDeletion({
  clusterId,
  deletionId,
}: Pick<Deletion, 'clusterId' | 'deletionId'>): Promise<Deletion> {
  return request(path`/v1/clusters/${clusterId}/deletions/${deletionId}/cancel`, {
    method: 'POST',
    body: {},
  });
}
