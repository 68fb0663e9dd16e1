import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LogKeys } from '../../src/audit/log-keys.ts';
import { WebhookKeys } from '../../src/delivery/webhooks/webhook-keys.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { receiverForTest } from '../support/receiver.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const MARCH = '2026-03-01T00:00:00.000Z';

describe.each(stores.filter(({ connection }) => connection !== 'sqlite:'))(
  'two replicas on $name',
  ({ connection }) => {
    test('send each event once while both run, and the other goes on when the one that sends stops', async () => {
      const environment = {
        LEDGER_NAMESPACE: `test-${randomUUID()}`,
        LEDGER_AUDIT_KEY: LogKeys.generate('ledger.example.com/test').text,
        LEDGER_WEBHOOKS_KEY: WebhookKeys.generate(),
      };
      const [first, second] = [
        await ledgerForTest({ clockGoesOn: true, store: connection, environment }),
        await ledgerForTest({ clockGoesOn: true, store: connection, environment }),
      ];
      const receiver = await receiverForTest();
      const created = await first.fetch('/v1/webhooks', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ url: receiver.url }),
      });
      expect(created.status).toBe(201);
      for (let i = 0; i < 10; i++) await [first, second][i % 2]?.record(registered(`before-${i}`, MARCH));
      await until(() => receiver.accepted.length >= 10);
      // The replica that sends has read all answers, and the other one knows where the webhook stands, too.
      for (const replica of [first, second])
        await until(async () => {
          const { body } = await replica.get(`/v1/webhooks/${created.body.webhookId}`);
          return body.delivery.lastSuccessAt !== undefined && body.delivery.outstanding === 0;
        });
      await first.close();
      for (let i = 0; i < 10; i++) await second.record(registered(`after-${i}`, MARCH));
      await until(() => receiver.accepted.length >= 20);
      expect(receiver.accepted).toHaveLength(20);
      expect(new Set(receiver.accepted.map(({ event }) => event.subject)).size).toBe(20);
    });
  },
);
