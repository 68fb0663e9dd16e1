import { queryOptions } from '@tanstack/react-query';
import type {
  CreatedWebhookOut,
  DeliveriesOut,
  RequestedDeliveriesOut,
  RotatedSecretOut,
  WebhookIn,
  WebhookOut,
  WebhookTestOut,
} from '../../src/api/webhooks.ts';
import { allPages } from './all-pages.ts';
import { path, request } from './request.ts';

export type Webhook = WebhookOut;
export type Deliveries = DeliveriesOut;

/** Deliveries are not events of the stream. */
const REFETCH_MS = 3_000;

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks', 'list'],
  queryFn: ({ signal }) => allPages<Webhook>('/v1/webhooks', {}, signal),
  refetchInterval: REFETCH_MS,
});

export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', 'one', id],
    queryFn: ({ signal }) => request<Webhook>(path`/v1/webhooks/${id}`, { signal }),
    refetchInterval: REFETCH_MS,
  });

export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', 'deliveries', id],
    queryFn: ({ signal }) => request<Deliveries>(path`/v1/webhooks/${id}/deliveries`, { signal }),
    refetchInterval: REFETCH_MS,
  });

/** Creates a webhook. The answer is the only one that has its secret. */
export function createWebhook(body: WebhookIn): Promise<CreatedWebhookOut> {
  return request('/v1/webhooks', { method: 'POST', body });
}

/** Enables or disables a webhook, and leaves everything else as it is. */
export function setEnabled({
  webhook: { webhookId, url, description, types },
  enabled,
}: {
  readonly webhook: Webhook;
  readonly enabled: boolean;
}): Promise<Webhook> {
  const body = { url, types, enabled, ...(description !== undefined && { description }) };
  return request(path`/v1/webhooks/${webhookId}`, { method: 'PUT', body });
}

export function deleteWebhook(id: string): Promise<void> {
  return request(path`/v1/webhooks/${id}`, { method: 'DELETE' });
}

export function rotateSecret(id: string): Promise<RotatedSecretOut> {
  return request(path`/v1/webhooks/${id}/rotate-secret`, { method: 'POST' });
}

/** Sends a test event, once and at once. */
export function testWebhook(id: string): Promise<WebhookTestOut> {
  return request(path`/v1/webhooks/${id}/test`, { method: 'POST' });
}

/** Sends one event again. */
export function redeliver({
  id,
  eventId,
}: {
  readonly id: string;
  readonly eventId: string;
}): Promise<RequestedDeliveriesOut> {
  return request(path`/v1/webhooks/${id}/deliveries/${eventId}/redeliver`, { method: 'POST' });
}

/** Sends every parked message again. */
export function replayParked(id: string): Promise<RequestedDeliveriesOut> {
  return request(path`/v1/webhooks/${id}/replay-parked`, { method: 'POST' });
}
