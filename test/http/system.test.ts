import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { createKey, sendAs } from '../support/keys.ts';
import { ledgerForTest, NOON } from '../support/ledger.ts';

test('the ledger says its version, where its log stands, and how it judges clusters', async () => {
  const ledger = await ledgerForTest({
    environment: {
      LEDGER_DELETION_MODE: 'ledger-only',
      LEDGER_VALIDATOR_POLICY:
        '{version: "3", stopAfter: 48h, mode: observe, policies: [{name: gold, match: {labels: {plan: gold}}, stopAfter: 96h}]}',
    },
  });
  await ledger.record(registered('c1', NOON));
  const { body } = await ledger.get('/v1/system');
  expect(body).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    rules: 2,
    store: 'sqlite',
    log: { position: String(await ledger.head()) },
    deletionMode: 'ledger-only',
    graceMs: 72 * 3_600_000,
    validator: { isConfigured: false, breaker: { ratio: '0.2', minClusters: 5 } },
  });
  const HOUR_MS = 3_600_000;
  expect(body.validator.policies).toMatchObject([
    { name: expect.stringMatching(/^gold@/), match: { labels: { plan: 'gold' } }, stopAfterMs: 96 * HOUR_MS },
    { name: 'default@3', mode: 'observe', stopAfterMs: 48 * HOUR_MS, missingFor: 'records' },
  ]);
});

test('a secret in the settings is not shown', async () => {
  const ledger = await ledgerForTest({
    environment: {
      LEDGER_BOOTSTRAP_KEY: 'a-secret-of-the-first-start',
      LEDGER_KUBEFIRST_WRITE_KEY: 'the-write-key',
    },
  });
  const { text } = await sendAs(ledger, 'a-secret-of-the-first-start', 'GET', '/v1/system');
  expect(text).toContain('"version"');
  expect(text).not.toMatch(/secret|write-key/);
  const operator = await createKey(ledger, 'a-secret-of-the-first-start', { role: 'operator' });
  const customer = await createKey(ledger, operator.key, { role: 'customer', accountId: 'acme' });
  expect((await sendAs(ledger, customer.key, 'GET', '/v1/system')).status).toBe(403);
});
