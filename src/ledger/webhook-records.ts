import {
  DELIVERIES_REQUESTED,
  WEBHOOK_CHANGED,
  WEBHOOK_CREATED,
  WEBHOOK_DELETED,
  WEBHOOK_DISABLED,
  WEBHOOK_ENABLED,
  WEBHOOK_SECRET_ROTATED,
  WEBHOOKS_STREAM,
} from '../domain/stream-table.ts';
import type { Instant } from '../domain/time.ts';
import type { DeliveryRequest, SecretVersion, Webhook, WebhookDefinition } from '../domain/webhook.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { appendRecord } from './append-record.ts';

/**
 * Records the webhooks and their changes. Every method returns the id of the event once it is durable, and throws
 * `OutcomeUnknown`, `StoreUnavailable`, `StoreFull` or `StoreFailed`.
 */
export class WebhookRecords {
  readonly #store: EventStore;
  readonly #now: () => Instant;

  /** @param now returns the time that events are stamped with. */
  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  create(
    webhook: WebhookDefinition & Pick<Webhook, 'webhookId' | 'after' | 'secret'>,
    by: string,
  ): Promise<string> {
    return this.#append(WEBHOOK_CREATED, { ...webhook }, by);
  }

  change(webhookId: string, definition: WebhookDefinition, by: string): Promise<string> {
    return this.#append(WEBHOOK_CHANGED, { webhookId, ...definition }, by);
  }

  rotateSecret(webhookId: string, secret: SecretVersion, by: string): Promise<string> {
    return this.#append(WEBHOOK_SECRET_ROTATED, { webhookId, secret }, by);
  }

  /** @param isAutomatic whether the ledger disables it, and no operator does. */
  disable(webhookId: string, reason: string, isAutomatic: boolean, by: string): Promise<string> {
    return this.#append(WEBHOOK_DISABLED, { webhookId, reason, isAutomatic }, by);
  }

  enable(webhookId: string, by: string): Promise<string> {
    return this.#append(WEBHOOK_ENABLED, { webhookId }, by);
  }

  delete(webhookId: string, by: string): Promise<string> {
    return this.#append(WEBHOOK_DELETED, { webhookId }, by);
  }

  requestDeliveries(request: DeliveryRequest, by: string): Promise<string> {
    return this.#append(DELIVERIES_REQUESTED, { ...request }, by);
  }

  #append(type: string, members: object, actor: string): Promise<string> {
    // An absent description must not become a member with the value undefined.
    const data = JSON.parse(JSON.stringify(members)) as JsonObject;
    return appendRecord(this.#store, WEBHOOKS_STREAM, { type, data, actor }, this.#now);
  }
}
