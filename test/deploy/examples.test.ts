import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { registered } from '../support/cloud-events.ts';
import { hasHelm, helm, type Manifest, NO_HELM } from '../support/helm.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { isInstalled } from '../support/page.ts';
import { violationsOfRestricted } from '../support/pod-security.ts';

const EXAMPLES = join(import.meta.dirname, '../../deploy/examples');
const HOUR_MS = 3_600_000;
const fromNow = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
/** A ledger whose clock is ahead of the producers, which have the clock of the machine. */
const openForTest = () => ledgerForTest({ now: fromNow(1) });
const hasGo = isInstalled('go', 'version');
const noHook = !hasHelm
  ? NO_HELM
  : isInstalled('curl', '--version')
    ? undefined
    : 'NOT RUN: curl is not installed';

let folder: string;
let keyFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examples-'));
  keyFile = join(folder, 'key');
  await writeFile(keyFile, 'clk_of_a_producer\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Proxy {
  readonly url: string;
  /** The credential of every request. */
  readonly credentials: (string | undefined)[];
}

/** Starts a server in front of a ledger that answers the first requests with 503, after it has passed the second one on. */
async function faultyFront(target: string): Promise<Proxy> {
  const credentials: (string | undefined)[] = [];
  const server: Server = createServer(async (request, response) => {
    credentials.push(request.headers.authorization);
    const attempt = credentials.length;
    const body = Buffer.concat(await request.toArray());
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const pass = () => fetch(target + request.url, { method: 'POST', headers, body });
    if (attempt > 1) {
      const answer = await pass();
      if (attempt > 2) {
        response.writeHead(answer.status).end(await answer.text());
        return;
      }
    }
    response.writeHead(503, { 'retry-after': '1' }).end('later');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, credentials };
}

describe.skipIf(noHook !== undefined)(`the hook by which a cluster says goodbye ${noHook ?? ''}`, () => {
  async function job(): Promise<Manifest> {
    const chart = join(EXAMPLES, 'goodbye-hook');
    return parse(await helm(['template', 'goodbye', chart, '--set', 'clusterId=c1']));
  }

  /** Runs the script of the Job as its container does. */
  async function say(url: string, timeoutSeconds = 240) {
    const [{ command }] = (await job()).spec.template.spec.containers;
    const [shell, ...args] = command;
    const child = spawn(shell, args, {
      env: {
        PATH: '/usr/bin:/bin',
        LEDGER_URL: url,
        CLUSTER_ID: 'c1',
        KEY_FILE: keyFile,
        TIMEOUT_SECONDS: String(timeoutSeconds),
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  }

  test('records the deletion once through answers that were lost, and ends the bill', async () => {
    const ledger = await openForTest();
    await ledger.record(registered('c1', fromNow(-24)));
    const front = await faultyFront(`http://127.0.0.1:${ledger.port}`);
    const said = await say(front.url);
    expect(said).toMatchObject({ code: 0, output: expect.stringContaining('"outcome":"duplicate"') });
    expect(front.credentials).toEqual(Array(3).fill('Bearer clk_of_a_producer'));
    const { body } = await ledger.get('/v1/clusters/c1');
    expect(body).toMatchObject({ status: 'deleted' });
    const facts = (await ledger.get('/v1/clusters/c1/events')).body.items;
    expect(facts.filter(({ type }: Manifest) => type.endsWith('cluster.deleted.v1'))).toHaveLength(1);
  });

  test('fails, so that the release stays, if the ledger refuses the fact or cannot be reached', async () => {
    const ledger = await openForTest();
    const refused = await say(`http://127.0.0.1:${ledger.port}/nothing`);
    expect(refused.code).toBe(1);
    expect(refused.output).toMatch(/the deletion of c1 was not recorded, so its bill goes on: .*404/);
    expect((await say('http://127.0.0.1:9', 1)).code).toBe(1);
  });

  test('runs before the release is deleted, as a pod that fulfills the Pod Security Standard restricted', async () => {
    const { metadata, spec } = await job();
    expect(metadata.annotations['helm.sh/hook']).toBe('pre-delete');
    expect(violationsOfRestricted(spec.template.spec)).toEqual([]);
    const chart = join(EXAMPLES, 'goodbye-hook');
    await expect(helm(['template', 'goodbye', chart])).rejects.toThrow('clusterId is required');
    expect(await helm(['lint', '--strict', chart, '--set', 'clusterId=c1'])).toContain('0 chart(s) failed');
  });
});

describe.skipIf(!hasGo)(`the producer in Go ${hasGo ? '' : 'NOT RUN: go is not installed'}`, () => {
  const run = promisify(execFile);

  test('registers and deletes a cluster, each once through answers that were lost, and names what is refused', async () => {
    const program = join(folder, 'go-producer');
    // biome-ignore lint/style/noProcessEnv: go needs the PATH, and finds its cache by HOME.
    const env = { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' };
    await run('go', ['build', '-o', program, '.'], { cwd: join(EXAMPLES, 'go-producer'), env });
    const ledger = await openForTest();
    const produce = async (...args: string[]) => {
      const front = await faultyFront(`http://127.0.0.1:${ledger.port}`);
      const { stdout } = await run(program, ['-url', front.url, '-key-file', keyFile, ...args]);
      expect(front.credentials).toEqual(Array(3).fill('Bearer clk_of_a_producer'));
      return JSON.parse(stdout);
    };
    const about = ['-cluster', 'c1', '-account', 'acme', '-name', 'production', '-time', fromNow(-24)];
    expect(await produce('registered', ...about)).toMatchObject({ outcome: 'duplicate', clusterId: 'c1' });
    expect(await produce('deleted', '-cluster', 'c1')).toMatchObject({ outcome: 'duplicate' });
    const { body } = await ledger.get('/v1/clusters/c1');
    expect(body).toMatchObject({ accountId: 'acme', name: 'production', status: 'deleted' });
    const refused = run(program, [
      '-url',
      `http://127.0.0.1:${ledger.port}`,
      'registered',
      '-cluster',
      'a b',
    ]);
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^the ledger refuses the fact: 400 Bad Request: .*subject/),
    });
  });
});
