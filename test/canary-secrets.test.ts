import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { inStructuredMode, registered } from './support/cloud-events.ts';
import { LedgerProcess } from './support/ledger-process.ts';

test('no API key and no secret of a webhook is in the log, the store, a backup or a later answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-secrets-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: folder, LEDGER_LOG_LEVEL: 'trace' });
  onTestFinished(async () => {
    await ledger.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  await ledger.start();
  const send = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(ledger.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const created = await send('/v1/keys', { name: 'operations', role: 'operator' });
  const { key } = (await created.json()) as { key: string };
  expect(key).toMatch(/^clk_/);
  const authorization = { authorization: `Bearer ${key}` };
  const webhook = await send('/v1/webhooks', { url: 'http://127.0.0.1:9/' }, authorization);
  const { secret } = (await webhook.json()) as { secret: string };
  expect(secret).toMatch(/^whsec_/);
  const { headers, body } = inStructuredMode(registered('c1', new Date().toISOString()));
  const posted = await fetch(`${ledger.url}/v1/events`, {
    method: 'POST',
    headers: { ...(headers as Record<string, string>), ...authorization },
    body: String(body),
  });
  expect(posted.status).toBe(201);
  const wrong = `${key.slice(0, -3)}000`;
  expect(
    (await fetch(`${ledger.url}/v1/keys`, { headers: { authorization: `Bearer ${wrong}` } })).status,
  ).toBe(401);
  const secrets = [key, key.split('_')[2] as string, wrong, secret, secret.slice('whsec_'.length)];

  for (const path of ['/v1/keys', '/v1/webhooks', '/v1/feed?limit=1000', '/metrics', '/v1/alerts']) {
    const text = await (await fetch(ledger.url + path, { headers: authorization })).text();
    for (const one of secrets) expect(text.includes(one), path).toBe(false);
  }
  const db = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true });
  db.exec(`VACUUM INTO '${join(folder, 'backup.db')}'`);
  db.close();
  await ledger.stop();
  for (const one of secrets) expect(ledger.output.includes(one)).toBe(false);
  const files = await readdir(folder);
  expect(files).toEqual(expect.arrayContaining(['backup.db', 'ledger.db']));
  for (const file of files) {
    const bytes = await readFile(join(folder, file));
    for (const one of secrets) expect(bytes.includes(one), file).toBe(false);
  }
  // Proves that the search works: text that the store has is found.
  expect((await readFile(join(folder, 'backup.db'))).includes('operations')).toBe(true);
});
