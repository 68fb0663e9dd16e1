import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Fleet } from '../kubernetes/probe/fleet.ts';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';

/** In every kubeconfig, and nowhere else. */
const CANARY = 'canary-6f2d1c0e-token-of-a-customer';

let servers: Fleet;
beforeAll(async () => {
  servers = await Fleet.start();
});
afterAll(() => servers.stop());

test('no credential of a customer is in the log, an answer, a file or the heap of the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-canary-'));
  const credentials = await mkdtemp(join(tmpdir(), 'ledger-kubeconfigs-'));
  const ledger = new LedgerProcess({
    LEDGER_DATA_DIR: folder,
    LEDGER_LOG_LEVEL: 'trace',
    LEDGER_VALIDATOR_SCHEDULE: 'off',
    LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: credentials }),
    LEDGER_VALIDATOR_PROBE: JSON.stringify({ deadlineMs: 2_000, addresses: { allow: ['127.0.0.0/8'] } }),
    NODE_OPTIONS: `--heapsnapshot-signal=SIGURG --diagnostic-dir=${folder}`,
  });
  onTestFinished(async () => {
    await ledger.stop('SIGKILL');
    await Promise.all([folder, credentials].map((each) => rm(each, { recursive: true, force: true })));
  });
  await ledger.start();
  const behaviours = ['healthy', 'unauthorized', 'ssh', 'not-found', 'reset-in-tls', 'echo-token'];
  for (const behaviour of behaviours) {
    const kubeconfig = servers.behaviours.includes(behaviour)
      ? servers.kubeconfig(behaviour, { token: CANARY })
      : `users: [{ name: u, user: { exec: { command: ${CANARY} } } }]`;
    await writeFile(join(credentials, behaviour), kubeconfig);
    const { headers, body } = inStructuredMode(
      registered(behaviour, new Date().toISOString(), 'acme', { connection: `dir:${behaviour}` }),
    );
    const posted = await ledger.fetch('/v1/events', { method: 'POST', headers, body: body ?? null });
    expect(posted.status).toBe(201);
  }
  const begun = (await (await ledger.fetch('/v1/validations', { method: 'POST' })).json()) as {
    id: string;
  };
  const run = `/v1/validations/${begun.id}`;
  await until(async () => ((await ledger.getJson(run)) as { state: string }).state === 'completed');
  for (const path of [run, '/v1/validations', '/v1/alerts', '/v1/feed', '/v1/clusters', '/v1/validator'])
    expect(JSON.stringify(await ledger.getJson(path))).not.toContain(CANARY);

  ledger.signal('SIGURG');
  const snapshots = async () => (await readdir(folder)).filter((file) => file.endsWith('.heapsnapshot'));
  // It answers again once the snapshot is written.
  await until(async () => {
    if (ledger.exitCode !== null)
      throw new Error(`the ledger ended with ${ledger.exitCode}: ${ledger.output}`);
    const answer = await fetch(`${ledger.url}/livez`).catch(() => undefined);
    return answer?.status === 200 && (await snapshots()).length > 0;
  });
  await ledger.stop();
  expect(ledger.output).not.toContain(CANARY);
  const files = await readdir(folder);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const bytes = await readFile(join(folder, file));
    expect(bytes.includes(CANARY), file).toBe(false);
    // Proves that the search works: text that the server does know is found.
    if (file.endsWith('.heapsnapshot')) expect(bytes.includes('reset-in-tls')).toBe(true);
  }
});
