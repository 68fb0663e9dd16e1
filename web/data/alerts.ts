import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { AlertOut } from '../../src/api/alerts.ts';
import { path, request } from './request.ts';

export type Alert = AlertOut;
export type AlertState = Alert['state'];
export type AlertSeverity = Alert['severity'];

interface AlertPage {
  readonly items: readonly Alert[];
  readonly next?: string;
}

/** Alerts that hold now are not all announced by the stream. */
const REFETCH_MS = 15_000;
const PAGE_SIZE = 50;

/** The alerts of a state, and of a severity if one is given, latest first. */
export const alertListQuery = (query: {
  readonly state: AlertState;
  readonly severity?: AlertSeverity;
  readonly kind?: string;
}) =>
  infiniteQueryOptions({
    queryKey: ['alerts', 'list', query],
    queryFn: ({ signal, pageParam }) =>
      request<AlertPage>('/v1/alerts', { query: { ...query, limit: PAGE_SIZE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    refetchInterval: REFETCH_MS,
  });

export const alertQuery = (alertId: string) =>
  queryOptions({
    queryKey: ['alerts', 'one', alertId],
    queryFn: ({ signal }) => request<Alert>(path`/v1/alerts/${alertId}`, { signal }),
    refetchInterval: REFETCH_MS,
  });

/** The latest open alerts. @param limit maximum number */
export const latestAlertsQuery = (limit: number) =>
  queryOptions({
    queryKey: ['alerts', 'latest', limit],
    queryFn: ({ signal }) => request<AlertPage>('/v1/alerts', { query: { state: 'open', limit }, signal }),
    refetchInterval: REFETCH_MS,
  });

interface Acknowledgement {
  readonly id: string;
  readonly note: string;
  /** When the alert is open again, if it is not resolved; `undefined` for not at all. */
  readonly until: string | undefined;
}

export function acknowledgeAlert({ id, note, until }: Acknowledgement): Promise<Alert> {
  const body = { ...(note !== '' && { note }), ...(until !== undefined && { until }) };
  return request(path`/v1/alerts/${id}/acknowledge`, { method: 'POST', body });
}
