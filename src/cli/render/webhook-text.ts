import type { WebhookOut } from '../../api/webhooks.ts';
import type { Detail } from '../terminal/output.ts';

/** Returns the lines that describe a webhook. */
export function webhookDetails(webhook: WebhookOut): Detail[] {
  const { webhookId, url, description, types, state, disabled, createdAt, publicKey, delivery } = webhook;
  return [
    ['webhook', webhookId],
    ['url', url],
    ['description', description],
    ['types', types.length === 0 ? 'all' : types.join(', ')],
    ['state', state],
    ['disabled since', disabled?.since],
    ['reason', disabled?.reason],
    ['public key', publicKey],
    ['created at', createdAt],
    ['read up to position', delivery.position],
    ['outstanding', delivery.outstanding],
    ['parked', delivery.parked],
    ['failing since', delivery.failingSince],
    ['last success', delivery.lastSuccessAt],
  ];
}
