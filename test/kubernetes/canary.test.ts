import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { base64, Fleet, kubeconfig } from './probe/fleet.ts';

/**
 * Secrets planted in kubeconfigs must not be found anywhere in the server afterwards, neither in its output nor in
 * its memory. The second test plants a secret in the server, to prove that the search finds it.
 */
const TOKEN = 'canary-7f3c9a1e5b2d-token';
const MARK = 'canary7f3c9a1e5b2dkey';
let fleet: Fleet;
let folder: string;

beforeAll(async () => {
  fleet = await Fleet.start();
  folder = await mkdtemp(join(tmpdir(), 'canary-'));
});
afterAll(async () => {
  await fleet?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a server that probes, and searches its output and a heap snapshot. */
async function whereFound(told: object, secrets: readonly string[]) {
  const snapshot = join(folder, 'heap.json');
  const options = {
    addresses: { allow: ['127.0.0.0/8'] },
    // Long enough for a server that answers, however slow this machine is.
    deadlineMs: 15_000,
    credentials: { directory: folder },
  };
  const program = join(import.meta.dirname, 'prober/probing-process.ts');
  const server = spawn(process.execPath, [program], { env: {}, stdio: ['pipe', 'pipe', 'pipe'] });
  server.stdin.end(JSON.stringify({ options, snapshot, ...told }));
  const [said, complained] = await Promise.all([text(server.stdout), text(server.stderr)]);
  expect(complained).toBe('');
  const found = new Set<string>();
  for (const secret of secrets) if (said.includes(secret)) found.add('output');
  let tail = '';
  for await (const chunk of createReadStream(snapshot, 'latin1')) {
    const seen = tail + String(chunk);
    for (const secret of secrets) if (seen.includes(secret)) found.add('memory');
    tail = seen.slice(-200);
  }
  return {
    found: [...found],
    results: said
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line)),
  };
}

describe('a secret of a kubeconfig', () => {
  test('is neither in the output of the server nor in its memory after a run, whatever the verdict', async () => {
    const behaviours = [
      'healthy',
      'unauthorized',
      'not-found',
      'stranger',
      'reset-on-request',
      'hang-on-request',
      'no-http',
      'redirect-to-itself',
    ];
    const { cert, key } = fleet.authority.issue({ commonName: MARK });
    const clientUser = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    const server = {
      server: `https://127.0.0.1:${fleet.port('healthy')}`,
      'certificate-authority-data': base64(fleet.authority.cert),
    };
    const files: Record<string, string> = {
      ...Object.fromEntries(behaviours.map((name) => [name, fleet.kubeconfig(name, { token: TOKEN })])),
      client: kubeconfig(server, clientUser),
      exec: kubeconfig(server, { token: TOKEN, exec: { command: TOKEN } }),
      'exec-only': kubeconfig(server, { exec: { command: TOKEN, args: [TOKEN] } }),
      'line-break': kubeconfig(server, { token: `${TOKEN}\r\nx: y` }),
      'odd-field': kubeconfig(server, { token: TOKEN, [`${TOKEN}-1`]: TOKEN }),
      'odd-url': kubeconfig({ server: `https://admin:${TOKEN}@127.0.0.1` }, { token: TOKEN }),
      'no-yaml': `token: "${TOKEN}\n\tusers: [`,
      'bad-key': kubeconfig(server, { ...clientUser, 'client-key-data': base64(TOKEN) }),
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    const targets = Object.keys(files).map((name) => ({ clusterId: name, connection: `dir:${name}` }));
    const keyLine = key.split('\n')[1] as string;
    const secrets = [
      TOKEN,
      base64(TOKEN).slice(0, 20),
      keyLine,
      base64(key).slice(60, 120),
      base64(cert).slice(60, 120),
    ];
    const { found, results } = await whereFound({ targets }, secrets);
    expect(results).toHaveLength(targets.length);
    expect(results.find(({ clusterId }) => clusterId === 'client')?.verdict.code).toBe('ok');
    expect(results.filter(({ verdict }) => verdict.code === 'credential-refused')).toHaveLength(5);
    expect(found).toEqual([]);
  });

  test('would be found, if a server held it: the search is able to', async () => {
    const targets = [{ clusterId: 'c', kubeconfig: fleet.kubeconfig('healthy', { token: TOKEN }) }];
    expect((await whereFound({ targets }, [TOKEN])).found).toEqual(['memory']);
  });
});
