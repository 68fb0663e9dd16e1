import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';
import { run } from './program.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

async function startedLedger() {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-behind-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ledger.db');
  const ledger = new LedgerProcess({
    LEDGER_STORE: `sqlite:${file}`,
    LEDGER_DATA_DIR: folder,
    LEDGER_NAMESPACE: `behind-${randomUUID()}`,
  });
  onTestFinished(() => ledger.stop('SIGKILL'));
  await ledger.start();
  const post = async (clusterId: string) => {
    const { headers, body } = inStructuredMode(registered(clusterId, APRIL));
    const answer = await fetch(`${ledger.url}/v1/events`, { method: 'POST', headers, body: body as string });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  return { ledger, file, post };
}

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes, and a test fails if a field is missing.
type Json = any;

test('a ledger whose acknowledged facts are lost says so everywhere and takes nothing, until an operator accepts the loss', async () => {
  const { ledger, file, post } = await startedLedger();
  for (const clusterId of ['c1', 'c2', 'c3']) expect((await post(clusterId)).status).toBe(201);
  const { next } = (await ledger.getJson('/v1/feed')) as Json;
  await ledger.stop('SIGKILL');
  await truncate(`${file}-wal`, (await stat(`${file}-wal`)).size - 5_000);
  await ledger.start();

  expect(ledger.output).toContain('"alert":"log-behind"');
  const refused = await post('c4');
  expect([refused.status, refused.body['type']]).toEqual([503, 'urn:cluster-ledger:problem:read-only']);
  expect(refused.body['detail']).toContain('events that were acknowledged are missing');
  const { checks } = (await ledger.getJson('/readyz')) as Json;
  expect(checks.log).toEqual({
    ok: false,
    detail: expect.stringMatching(/^log-behind: the log has \d events, and 3/),
  });
  const { items } = (await ledger.getJson('/v1/alerts?kind=log-behind')) as Json;
  expect(items).toMatchObject([
    { kind: 'log-behind', severity: 'critical', next: expect.stringContaining('log accept-loss') },
  ]);
  expect(await (await fetch(`${ledger.url}/metrics`)).text()).toMatch(/^ledger_log_behind 1$/m);
  const doctor = await run(['doctor', '--url', ledger.url]);
  expect([doctor.code, doctor.stdout]).toEqual([
    3,
    expect.stringContaining('cluster-ledger log accept-loss'),
  ]);
  expect(doctor.stderr, 'doctor waits for a ledger that cannot recover').toBe('');
  expect((await fetch(`${ledger.url}/v1/clusters/c1`)).status).toBe(200);
  for (const path of [
    '/log/checkpoint',
    '/log/key',
    '/log/tile/0/000',
    '/v1/accounts/acme/evidence?period=2026-04',
  ]) {
    const unproved = await fetch(ledger.url + path);
    expect([unproved.status, unproved.headers.get('retry-after')], path).toEqual([503, null]);
    const { type, detail } = (await unproved.json()) as Json;
    expect(type, path).toBe('urn:cluster-ledger:problem:read-only');
    expect(detail, path).toContain('nothing is signed or proved');
  }

  const accept = ['log', 'accept-loss', '--url', ledger.url, '--reason', 'there is no backup'];
  expect((await run(accept)).stderr).toContain('pass --yes');
  const accepted = await run([...accept, '--yes']);
  expect([accepted.code, accepted.stdout]).toEqual([
    0,
    expect.stringContaining('the ledger takes facts again'),
  ]);
  expect((await post('c4')).status).toBe(201);
  const changed = (await (await fetch(`${ledger.url}/v1/feed?after=${next}`)).json()) as Json;
  expect(changed.type).toBe('urn:cluster-ledger:problem:epoch-changed');
  expect((await run([...accept, '--yes'])).stderr).toContain('no witness shows');

  await ledger.stop('SIGKILL');
  await ledger.start();
  expect((await post('c5')).status).toBe(201);
  const key = join(file, '..', 'ledger.key');
  await writeFile(key, (await run(['log', 'key', '--url', ledger.url])).stdout);
  await ledger.stop();
  const verified = await run(['verify', '--store', `sqlite:${file}`, '--key', key]);
  expect([verified.code, verified.stderr]).toEqual([0, expect.anything()]);
});

test('a ledger whose file was renamed while it ran stops, and the next start does not begin an empty ledger', async () => {
  const { ledger, file, post } = await startedLedger();
  expect((await post('c1')).status).toBe(201);
  await rename(file, `${file}.moved`);
  const { status, body } = await post('c2');
  expect([status, body['type']]).toEqual([503, 'urn:cluster-ledger:problem:store-failed']);
  await until(() => ledger.exitCode !== null);
  expect(ledger.exitCode).toBe(1);

  await rm(`${file}-wal`, { force: true });
  await ledger.start();
  const { checks } = (await ledger.getJson('/readyz')) as Json;
  expect(checks.log.detail).toContain(`${file} does not exist, and 1 were acknowledged`);
  expect((await post('c2')).status).toBe(503);
  await ledger.stop();
  await rename(`${file}.moved`, file);
  await ledger.start();
});
