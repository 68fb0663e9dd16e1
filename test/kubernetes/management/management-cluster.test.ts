import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ManagementCluster } from '../../../src/kubernetes/management/management-cluster.ts';
import { Expired, type Secret } from '../../../src/kubernetes/management/secrets-api.ts';
import type { ManagementClusterSettings } from '../../../src/kubernetes/settings/credential-settings.ts';

const CANARY = 'CANARY-31cd';
const { signal } = new AbortController();

const page = (names: readonly string[], more: object) => ({
  items: names.map((name) => ({ metadata: { name, namespace: 'n' } })),
  metadata: { resourceVersion: '7', ...more },
});
const nameOf = ({ metadata: { name } }: Secret) => name;

describe('a management cluster', () => {
  let folder: string;
  let files = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'management-cluster-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function kubeconfig(text: string): Promise<string> {
    const file = join(folder, `kubeconfig-${files++}`);
    await writeFile(file, text);
    return file;
  }

  /** Starts a server that answers as the test specifies. */
  async function answering(listener: RequestListener): Promise<ManagementCluster> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const config = {
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'u', user: { token: CANARY } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    const settings = { kubeconfig: await kubeconfig(JSON.stringify(config)) };
    const cluster = new ManagementCluster(settings, { allowPlainHttp: true });
    onTestFinished(async () => {
      await cluster.close();
      server.closeAllConnections();
      server.close();
    });
    return cluster;
  }

  /** Returns the error as text, after checking that it shows nothing of what was sent or received. */
  async function failure(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
      () => 'nothing went wrong',
      (reason: unknown) => reason,
    );
    expect(inspect(error, { depth: 9 })).not.toContain(CANARY);
    return String(error);
  }

  test('without readable access reports why, but not the content of its kubeconfig', async () => {
    const read = (settings: ManagementClusterSettings) =>
      failure(new ManagementCluster(settings).secret('n', 'a', signal));
    const open = (file: string) => read({ kubeconfig: file });
    expect(await open(join(folder, 'missing'))).toBe(
      'SourceUnreadable: the kubeconfig of the management cluster cannot be read: ENOENT',
    );
    expect(await open(await kubeconfig(`{ ${CANARY}`))).toMatch(
      /^SourceUnreadable: the kubeconfig of the management cluster is refused: kubeconfig /,
    );
    expect(await read({ inCluster: true })).toBe(
      'SourceUnreadable: the ledger does not run in a cluster: KUBERNETES_SERVICE_HOST is not set',
    );
  });

  test.each([
    ['users.user.exec is never run', { exec: { command: CANARY, args: [CANARY] } }],
    ['users.user.auth-provider is never run', { 'auth-provider': { name: 'gcp', config: { a: CANARY } } }],
    ['users.user.tokenFile names a file, which is never read', { tokenFile: `/${CANARY}` }],
  ])('cannot be read with a login by a program or a file: %s', async (why, user) => {
    const file = await kubeconfig(
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    expect(await failure(new ManagementCluster({ kubeconfig: file }).secret('n', 'a', signal))).toBe(
      `SourceUnreadable: the kubeconfig of the management cluster needs a token or a client certificate: ${why}`,
    );
  });

  test('is read in another context than the current one, and with the login that the file has now', async () => {
    const tokens: unknown[] = [];
    const server = createServer(({ headers }, response) => {
      tokens.push(headers.authorization);
      response.writeHead(headers.authorization === 'Bearer second' ? 404 : 401).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const text = (token: string) =>
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
        users: [{ name: 'u', user: { token } }],
        contexts: [{ name: 'other', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'absent',
      });
    const file = await kubeconfig(text('first'));
    const settings = { kubeconfig: file, context: 'other' };
    const cluster = new ManagementCluster(settings, { allowPlainHttp: true });
    expect(await failure(cluster.secret('n', 'a', signal))).toContain('answered with status 401');
    await writeFile(file, text('second'));
    expect(await cluster.secret('n', 'a', signal)).toBe('absent');
    expect(tokens).toEqual(['Bearer first', 'Bearer second']);
    await cluster.close();
  });

  test('is listed page by page, and from the start again if a page has expired', async () => {
    let expired = 1;
    const asked: string[] = [];
    const cluster = await answering(({ url = '' }, response) => {
      const { searchParams } = new URL(url, 'http://x');
      asked.push(searchParams.get('continue') ?? 'first');
      if (searchParams.get('continue') === null)
        return response.end(JSON.stringify(page(['a'], { continue: 'next' })));
      if (expired-- > 0) return response.writeHead(410).end(`{"message":"${CANARY}"}`);
      return response.end(JSON.stringify(page(['b'], {})));
    });
    expect(await cluster.list({ namespace: 'n' }, nameOf, signal)).toEqual({
      items: ['a', 'b'],
      version: '7',
    });
    expect(asked).toEqual(['first', 'next', 'first', 'next']);
  });

  test('yields an error and not a partial list if its list never ends', async () => {
    const cluster = await answering(({ url = '' }, response) =>
      url.includes('continue=')
        ? response.writeHead(410).end()
        : response.end(JSON.stringify(page(['a'], { continue: 'next' }))),
    );
    expect(await failure(cluster.list({}, nameOf, signal))).toBe(
      'SourceUnreadable: the list changed faster than it could be read',
    );
  });

  test.each([
    ['302', 'answered with status 302', 302, '{}'],
    ['500 with a secret in it', 'answered with status 500', 500, CANARY],
    ['no JSON', 'cannot be read: SyntaxError', 200, CANARY],
  ])('cannot be read if it answers %s', async (_, why, status, body) => {
    let requests = 0;
    const cluster = await answering((_request, response) => {
      requests += 1;
      response.writeHead(status, { location: '/elsewhere' }).end(body);
    });
    expect(await failure(cluster.secret('n', 'a', signal))).toContain(
      `SourceUnreadable: the management cluster ${why}`,
    );
    expect(requests).toBe(1);
  });

  test('cannot be read if it breaks off a response', async () => {
    const cluster = await answering((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write(`{"items":["${CANARY}`);
      setImmediate(() => response.destroy());
    });
    expect(await failure(cluster.list({}, nameOf, signal))).toMatch(
      /^SourceUnreadable: the management cluster cannot be read: (UND_ERR_SOCKET|ECONNRESET)$/,
    );
  });

  async function watched(cluster: ManagementCluster): Promise<unknown[]> {
    return Array.fromAsync(await cluster.watch('n', '7', signal));
  }

  test('is watched line by line, however the chunks are cut', async () => {
    const events = ['ä', 'b'].map((name) => ({
      type: 'ADDED',
      object: { metadata: { name, namespace: 'n' } },
    }));
    const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const cluster = await answering(async ({ url }, response) => {
      expect(url).toMatch(/^\/api\/v1\/namespaces\/n\/secrets\?watch=true&.*resourceVersion=7/);
      for (const byte of bytes) if (!response.write(Buffer.of(byte))) await once(response, 'drain');
      response.end();
    });
    expect(await watched(cluster)).toEqual(events);
  });

  test('reports an expired version, by status or within the watch', async () => {
    const [status, line] = [
      await answering((_, response) => response.writeHead(410).end()),
      await answering((_, response) => {
        response.end(
          `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, message: CANARY } })}\n`,
        );
      }),
    ];
    await expect(watched(status)).rejects.toThrow(Expired);
    await expect(watched(line)).rejects.toThrow(Expired);
  });

  test('cannot be read if its watch fails or never ends a line', async () => {
    const failing = await answering((_, response) =>
      response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 500, message: CANARY } })}\n`),
    );
    expect(await failure(watched(failing))).toBe('SourceUnreadable: the watch failed with 500');
    const endless = await answering(async (_, response) => {
      const piece = 'x'.repeat(1024 * 1024);
      while (!response.destroyed) {
        if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    });
    expect(await failure(watched(endless))).toBe(
      'SourceUnreadable: the management cluster sent a line that is too long',
    );
  });
});
