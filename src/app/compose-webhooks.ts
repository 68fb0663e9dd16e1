import { join } from 'node:path';
import { type Config, isLoopbackHost } from '../config/config.ts';
import { TargetPolicy } from '../delivery/guarded-agent.ts';
import { LogTail } from '../delivery/log-tail.ts';
import { Webhooks } from '../delivery/webhooks/webhook-groups.ts';
import { openWebhookKeys, WebhookKeys } from '../delivery/webhooks/webhook-keys.ts';
import { WebhookSender } from '../delivery/webhooks/webhook-sender.ts';
import { WebhookSigningKey } from '../delivery/webhooks/webhook-signing-key.ts';
import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { WebhookRecords } from '../ledger/webhook-records.ts';
import { AddressPolicyOptions } from '../util/address-policy-options.ts';
import type { ComposeOptions } from './compose-options.ts';
import type { OpenLog } from './open-log.ts';

/** Webhooks that do not send yet, and the records of their changes. */
export interface OpenWebhooks {
  readonly tail: LogTail;
  readonly webhooks: Webhooks;
  readonly webhookRecords: WebhookRecords;
}

/**
 * Opens the webhooks of a ledger.
 * @throws WebhookKeyError if the key of their secrets cannot be used.
 */
export async function openWebhooks(
  config: Config,
  { log, now, monotonic = () => performance.now(), readOnly = false }: ComposeOptions,
  { store, projections, clock, starts, isReadOnly, operations }: OpenLog,
  resources: AsyncDisposableStack,
): Promise<OpenWebhooks> {
  const { signingKey } = config.webhooks;
  const sender = new WebhookSender(
    new TargetPolicy(targetsOf(config)),
    now,
    signingKey === undefined ? undefined : new WebhookSigningKey(signingKey),
  );
  const webhookRecords = new WebhookRecords(store, clock.now);
  const tail = new LogTail(store, projections);
  const webhooks = new Webhooks({
    store,
    projections,
    tail,
    epochs: () => starts.epochs,
    keys: await keysOf(config, readOnly),
    sender,
    disable: (webhookId, reason) => webhookRecords.disable(webhookId, reason, true, LEDGER_SOURCE),
    now,
    monotonic,
    log,
    operations,
  });
  resources.defer(() => webhooks.stop());
  if (!isReadOnly) webhooks.start();
  return { tail, webhooks, webhookRecords };
}

async function keysOf({ webhooks, dataDir }: Config, readOnly: boolean): Promise<WebhookKeys> {
  if (webhooks.key !== undefined) return new WebhookKeys(webhooks.key);
  // A read-only ledger sends nothing and creates no file.
  if (readOnly) return new WebhookKeys(WebhookKeys.generate());
  return openWebhookKeys(webhooks.keyFile ?? join(dataDir, 'webhook-key'));
}

/** A ledger that serves its own machine only may also send to it, so that a webhook can be tried out. */
function targetsOf({ webhooks, host }: Config): AddressPolicyOptions {
  const allow = isLoopbackHost(host) ? ['127.0.0.0/8', '::1/128'] : [];
  return webhooks.targets ?? AddressPolicyOptions.parse({ allow, allowPrivate: false });
}
