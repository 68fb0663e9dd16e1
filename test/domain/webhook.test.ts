import { describe, expect, test } from 'vitest';
import { applyWebhookEvent, deliveryRequestOf, type Webhook } from '../../src/domain/webhook.ts';

const DAY = 86_400_000;
const first: Webhook = {
  webhookId: 'w1',
  url: 'https://one.example',
  types: ['cluster.deleted'],
  description: 'one',
  after: 7,
  secret: { version: 1, keyId: 'k1' },
  createdAt: 100,
};
const { createdAt: _, ...creation } = first;
const disabled = { since: 200, reason: 'gone', isAutomatic: true };

/** The webhooks after an event at 200. */
function webhooksAfter(type: string, data: object, before: readonly Webhook[] = [first]): Webhook[] {
  const webhooks = new Map(before.map((webhook) => [webhook.webhookId, webhook]));
  applyWebhookEvent(webhooks, { type, data: data as Record<string, unknown>, recordedAt: 200 });
  return [...webhooks.values()];
}

describe('a webhook', () => {
  test('is created with what its event says', () => {
    expect(webhooksAfter('WebhookCreated', { ...creation, note: 'x' }, [])).toEqual([
      { ...first, createdAt: 200 },
    ]);
  });

  test('is deleted', () => {
    expect(webhooksAfter('WebhookDeleted', { webhookId: 'w1' })).toEqual([]);
    expect(webhooksAfter('WebhookDeleted', { webhookId: 'w2' })).toEqual([first]);
  });

  test('is changed in what its owner sets, and keeps the rest', () => {
    const definition = { url: 'https://two.example', types: [], description: undefined };
    expect(webhooksAfter('WebhookChanged', { webhookId: 'w1', ...definition, after: 99 })).toEqual([
      { ...first, ...definition },
    ]);
    expect(
      webhooksAfter('WebhookChanged', { webhookId: 'w1', ...definition }, [{ ...first, disabled }]),
    ).toEqual([{ ...first, ...definition, disabled }]);
  });

  test('signs with its former secret too for a day after a rotation', () => {
    const secret = { version: 2, keyId: 'k1' };
    expect(webhooksAfter('WebhookSecretRotated', { webhookId: 'w1', secret })).toEqual([
      { ...first, secret, former: { version: 1, keyId: 'k1', until: 200 + DAY } },
    ]);
  });

  test('is disabled with the reason, and enabled again', () => {
    const { since: __, ...data } = disabled;
    expect(webhooksAfter('WebhookDisabled', { webhookId: 'w1', ...data })).toEqual([{ ...first, disabled }]);
    expect(webhooksAfter('WebhookEnabled', { webhookId: 'w1' }, [{ ...first, disabled }])).toEqual([first]);
  });

  test('is not changed by events of another webhook, or of another type', () => {
    for (const type of ['WebhookChanged', 'WebhookSecretRotated', 'WebhookDisabled', 'WebhookEnabled'])
      expect(webhooksAfter(type, { webhookId: 'w2' }), type).toEqual([first]);
    expect(webhooksAfter('WebhookPainted', { webhookId: 'w1' }, [{ ...first, disabled }])).toEqual([
      { ...first, disabled },
    ]);
    expect(webhooksAfter('DeliveriesRequested', { webhookId: 'w1' })).toEqual([first]);
  });
});

test('a request for deliveries is read from its event, and from no other', () => {
  const data = { webhookId: 'w1', position: 3 };
  expect(deliveryRequestOf({ type: 'DeliveriesRequested', data, recordedAt: 1 })).toEqual(data);
  expect(deliveryRequestOf({ type: 'WebhookEnabled', data, recordedAt: 1 })).toBeUndefined();
});
