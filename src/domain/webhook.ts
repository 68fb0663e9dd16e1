import {
  DELIVERIES_REQUESTED,
  WEBHOOK_CHANGED,
  WEBHOOK_CREATED,
  WEBHOOK_DELETED,
  WEBHOOK_DISABLED,
  WEBHOOK_ENABLED,
  WEBHOOK_SECRET_ROTATED,
} from './stream-table.ts';
import type { Instant } from './time.ts';

/** How long the secret before the last rotation also signs, in milliseconds. */
export const ROTATION_MS = 24 * 3_600_000;

/** The part of a webhook that its owner sets. */
export interface WebhookDefinition {
  readonly url: string;
  readonly description?: string | undefined;
  /** The CloudEvents types that are sent; all if the list is empty. */
  readonly types: readonly string[];
}

/** Version of the secret of a webhook. The secret itself is derived from the version and a key that is not in the log. */
export interface SecretVersion {
  readonly version: number;
  /** Id of the key that the secret is derived from. */
  readonly keyId: string;
}

export interface Webhook extends WebhookDefinition {
  readonly webhookId: string;
  /** Position in the log after which events are sent. */
  readonly after: number;
  readonly createdAt: Instant;
  readonly secret: SecretVersion;
  /** The secret before, while it also signs. */
  readonly former?: SecretVersion & { readonly until: Instant };
  /** Why and since when nothing is sent; absent while the webhook is enabled. */
  readonly disabled?: {
    readonly since: Instant;
    readonly reason: string;
    /** Whether the ledger disabled it, and no operator did. */
    readonly isAutomatic: boolean;
  };
}

/** A request of an operator: to send all parked messages of a webhook again, or the message of one event. */
export interface DeliveryRequest {
  readonly webhookId: string;
  /** Position of the event; absent for all parked ones. */
  readonly position?: number;
}

/** An event of the stream of webhooks. */
export interface WebhookEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly recordedAt: Instant;
}

/** Applies an event to the webhooks by id. Events of other types change nothing. */
export function applyWebhookEvent(
  webhooks: Map<string, Webhook>,
  { type, data, recordedAt }: WebhookEvent,
): void {
  const webhookId = String(data['webhookId']);
  if (type === WEBHOOK_CREATED) {
    const { url, types, description, after, secret } = data as unknown as Webhook;
    webhooks.set(webhookId, { webhookId, url, types, description, after, secret, createdAt: recordedAt });
    return;
  }
  if (type === WEBHOOK_DELETED) {
    webhooks.delete(webhookId);
    return;
  }
  const webhook = webhooks.get(webhookId);
  if (webhook === undefined) return;
  const { disabled: _, ...enabled } = webhook;
  if (type === WEBHOOK_CHANGED) {
    const { url, types, description } = data as unknown as WebhookDefinition;
    webhooks.set(webhookId, { ...webhook, url, types, description });
  } else if (type === WEBHOOK_SECRET_ROTATED) {
    const { secret } = data as unknown as Pick<Webhook, 'secret'>;
    const former = { ...webhook.secret, until: recordedAt + ROTATION_MS };
    webhooks.set(webhookId, { ...webhook, secret, former });
  } else if (type === WEBHOOK_DISABLED) {
    const { reason, isAutomatic } = data as { readonly reason: string; readonly isAutomatic: boolean };
    webhooks.set(webhookId, { ...enabled, disabled: { since: recordedAt, reason, isAutomatic } });
  } else if (type === WEBHOOK_ENABLED) webhooks.set(webhookId, enabled);
}

/** Returns the request that an event records; `undefined` for events of other types. */
export function deliveryRequestOf({ type, data }: WebhookEvent): DeliveryRequest | undefined {
  return type === DELIVERIES_REQUESTED ? (data as unknown as DeliveryRequest) : undefined;
}
