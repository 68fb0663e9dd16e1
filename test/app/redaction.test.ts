import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';

const CANARY = 'canary5e2c7f9d1b3a';

async function launched(environment: Record<string, string>): Promise<LedgerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-redaction-'));
  const ledger = new LedgerProcess({
    LEDGER_DATA_DIR: dataDir,
    LEDGER_LOG_LEVEL: 'trace',
    ...environment,
  });
  onTestFinished(async () => {
    await ledger.stop('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });
  await ledger.launch();
  return ledger;
}

/** Posts, and returns the answer. A server that is gone answers nothing. */
const send = (url: string, request: RequestInit) => fetch(url, request).catch(() => undefined);

test('no key, token, password or secret is in the output, whatever is sent and whatever fails', async () => {
  const bootstrap = `${CANARY}-bootstrap-0123456789abcdef`;
  const ledger = await launched({
    LEDGER_BOOTSTRAP_KEY: bootstrap,
    LEDGER_WEBHOOKS_KEY: Buffer.from(CANARY.padEnd(32, 'x')).toString('base64'),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:${CANARY}@127.0.0.1:9`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${CANARY}`,
  });
  await until(async () => (await send(`${ledger.url}/readyz`, {}))?.status === 200);
  const json = { 'content-type': 'application/json' };
  const authorization = `Bearer ${bootstrap}`;
  const key = await send(`${ledger.url}/v1/keys`, {
    method: 'POST',
    headers: { ...json, authorization },
    body: JSON.stringify({ name: 'ci', role: 'operator' }),
  });
  expect(key?.status).toBe(201);
  const { key: created } = (await (key as Response).json()) as { key: string };
  const operator = { ...json, authorization: `Bearer ${created}` };
  const { headers, body } = inStructuredMode(registered('c1', '2026-03-01T00:00:00.000Z'));
  const requests: [string, RequestInit][] = [
    ['/v1/clusters', { headers: { authorization: `Bearer ${CANARY}` } }],
    ['/v1/clusters', { headers: { cookie: `session=${CANARY}` } }],
    [`/v1/clusters?token=${CANARY}&access_token=${CANARY}`, { headers: operator }],
    [
      '/v1/events',
      {
        method: 'POST',
        headers: { ...headers, ...operator, 'content-type': headers['content-type'] ?? '' },
        body: body as string,
      },
    ],
    [
      '/v1/events',
      {
        method: 'POST',
        headers: { ...operator, 'content-type': 'application/cloudevents+json' },
        body: `{"password":"${CANARY}",`,
      },
    ],
    [
      '/v1/webhooks',
      {
        method: 'POST',
        headers: operator,
        body: JSON.stringify({ url: `http://127.0.0.1:9/${CANARY}`, types: [] }),
      },
    ],
    [
      '/v1/webhooks',
      {
        method: 'POST',
        headers: operator,
        body: JSON.stringify({ url: `https://user:${CANARY}@example.com/` }),
      },
    ],
  ];
  for (const [path, request] of requests) {
    const answer = await send(`${ledger.url}${path}`, request);
    expect(answer, path).toBeDefined();
    await answer?.text();
  }
  await ledger.stop();
  expect(ledger.output.length).toBeGreaterThan(100);
  // The URL of a webhook is not secret: an operator must see which receiver fails.
  const output = ledger.output.replaceAll(`http://127.0.0.1:9/${CANARY}`, '');
  expect(output).not.toContain(CANARY);
  expect(output).not.toContain(created);
  expect(output).not.toContain(created.slice(-20));
});

test.each([
  ['a store that does not answer', { LEDGER_STORE: `esdb://admin:${CANARY}@127.0.0.1:9?tls=false` }],
  ['a connection string that is not valid', { LEDGER_STORE: `esdb://admin:${CANARY}@?nonsense=${CANARY}` }],
  ['a setting that is not valid', { LEDGER_HTTP_PORT: 'x', LEDGER_BOOTSTRAP_KEY: CANARY }],
  ['a signing key that is not valid', { LEDGER_AUDIT_KEY: `PRIVATE+KEY+${CANARY}` }],
] as const)('the password or key is not in the output of %s', async (_, environment) => {
  const ledger = await launched({ ...environment });
  await until(() => ledger.output.length > 50);
  await ledger.stop();
  expect(ledger.output).not.toContain(CANARY);
});
