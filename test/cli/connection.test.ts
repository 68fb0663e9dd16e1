import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../support/eventstored.ts';
import { fillLedger } from '../support/filled-ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { finished, folderForTest, run, start, words } from './program.ts';

const ledger = sharedLedger(fillLedger);
const url = () => `http://127.0.0.1:${ledger().port}`;

/** Starts a server that is not a ledger. @returns its URL. */
async function listening(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const periods = (target: string) => run(['period', 'list', '--url', target]);

describe('a command', () => {
  test('ends with 4 and the reason if the ledger cannot be reached', async () => {
    const [port] = (await freePorts(1)) as [number];
    const [nobody, nowhere] = await Promise.all([
      periods(`http://127.0.0.1:${port}`),
      periods('http://no.such.host.invalid'),
    ]);
    expect(nobody).toEqual({
      code: 4,
      stdout: '',
      stderr: `error: cannot reach http://127.0.0.1:${port}: connection refused: nothing listens there (ECONNREFUSED)\n  start a ledger (npm start), or choose another: --url, LEDGER_URL or --context\n`,
    });
    expect(nowhere.code).toBe(4);
  });

  test('ends with 4 if a proxy cannot reach the ledger', async () => {
    const target = await listening((_, response) => response.writeHead(502).end('<html>Bad Gateway</html>'));
    expect(await periods(target)).toMatchObject({ code: 4, stderr: expect.stringContaining('answered 502') });
  });

  test('ends with 1 if the server is not a ledger', async () => {
    const page = await listening((_, response) => response.end('<html>Welcome</html>'));
    const absent = await listening((_, response) => response.writeHead(404).end());
    const other = await listening((_, response) => response.end('{"items":[{"period":"\\u001b[31m"}]}'));
    const moved = await listening((_, response) =>
      response.writeHead(302, { location: 'https://login' }).end(),
    );
    const messages = (await Promise.all([page, absent, other, moved].map(periods))).map(
      ({ code, stderr }) => {
        expect(code).toBe(1);
        expect(stderr).not.toContain('\u001b');
        return stderr;
      },
    );
    expect(messages[0]).toContain('not valid JSON: it begins with "<html>Welcome</html>"');
    expect(messages[1]).toContain('is not a ledger: it answered 404');
    expect(messages[2]).toContain('/items/0/state');
    expect(messages[3]).toContain('answered 302, a redirect to https://login');
  });

  test('ends with 1 if the response ends early', async () => {
    const target = await listening((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"items":', () => response.destroy());
    });
    const runs = await Promise.all([periods(target), run(['period', 'list', '--json', '--url', target])]);
    for (const { code, stderr } of runs) {
      expect(code).toBe(1);
      expect(stderr).toContain(`the response from ${target} ended early`);
    }
  });
});

describe('choosing a ledger:', () => {
  const listPeriods = async (args: readonly string[], env: Record<string, string>) => {
    let authorization: string | undefined;
    const target = await listening(({ headers }, response) => {
      authorization = headers.authorization;
      response.setHeader('content-type', 'application/json');
      response.end('{"items":[]}');
    });
    const withUrl = (text: string) => text.replace('URL', target);
    const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, withUrl(value)]));
    const result = await run([...words('period list --json'), ...args.map(withUrl)], { env: variables });
    return { ...result, authorization };
  };

  test('a command uses the URL and token of its options, or of the variables', async () => {
    const [options, variables, both] = await Promise.all([
      listPeriods(['--url', 'URL', '--token', 't1'], {}),
      listPeriods([], { LEDGER_URL: 'URL', LEDGER_TOKEN: 't2' }),
      listPeriods(['--url', 'URL/'], { LEDGER_URL: 'http://127.0.0.1:1', LEDGER_TOKEN: 't3' }),
    ]);
    expect([options, variables, both].map(({ code, authorization }) => [code, authorization])).toEqual([
      [0, 'Bearer t1'],
      [0, 'Bearer t2'],
      [0, 'Bearer t3'],
    ]);
  });

  test('a command uses the current context, from a file that only its owner may read, and sends its token to no other URL', async () => {
    const home = await folderForTest();
    const env = { XDG_CONFIG_HOME: home };
    const context = (line: string, input = '') => run(words(`context ${line}`), { env, input });
    expect((await context(`set prod --url ${url()} --token-stdin`, 'hush\n')).stderr).toContain(
      'is the current context',
    );
    expect((await context('set copy --store sqlite:/nowhere.db')).stderr).not.toContain(
      'is the current context',
    );
    const file = join(home, 'cluster-ledger', 'contexts.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8')).contexts.prod).toEqual({ url: url(), token: 'hush' });

    const [list, json, current, named, elsewhere] = await Promise.all([
      context('list'),
      context('list --json'),
      run(words('period show 2026-01'), { env }),
      run(words('period list --context copy'), { env }),
      listPeriods(['--url', 'URL'], env),
    ]);
    expect(list.stdout).toBe(
      `   NAME  LEDGER${' '.repeat(Math.max(0, `${url()}`.length - 6))}  TOKEN\n` +
        `   copy  ${'sqlite:/nowhere.db'.padEnd(url().length)}  -\n*  prod  ${url().padEnd('sqlite:/nowhere.db'.length)}  yes\n`,
    );
    expect(JSON.parse(json.stdout).contexts).toHaveLength(2);
    expect(list.stdout + json.stdout).not.toContain('hush');
    expect(current.code).toBe(0);
    expect(named).toMatchObject({ code: 4, stderr: 'error: file not found: /nowhere.db\n' });
    expect(elsewhere.authorization).toBeUndefined();

    await context('use copy');
    expect((await run(words('period list'), { env })).stderr).toContain('file not found: /nowhere.db');
    expect((await run(words('log key'), { env })).stderr).toContain(
      'context copy is a store, but this command needs',
    );
    await context('remove copy');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ current: null, contexts: { prod: {} } });
  });

  test('a command warns if other users can read the contexts, and ends with 1 if their file is not valid', async () => {
    const home = await folderForTest();
    await mkdir(join(home, 'cluster-ledger'));
    const file = join(home, 'cluster-ledger', 'contexts.json');
    await writeFile(file, '{"current":null,"contexts":{}}');
    await chmod(file, 0o644);
    const env = { XDG_CONFIG_HOME: home };
    expect((await run(words('context list'), { env })).stderr).toMatch(/^warning: other users can read /);
    await writeFile(file, '{"current":1}');
    expect(await run(words('context list'), { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not a valid contexts file'),
    });
  });
});

describe('a command that is interrupted', () => {
  test('ends with 0 and no message if the reader closes the pipe', async () => {
    const child = start(['events', 'tail', '--after', '0', '--follow', '--json', '--url', url()]);
    const end = finished(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.stdout?.destroy();
    await ledger().record(registeredLater());
    expect(await end).toMatchObject({ code: 0, stderr: '' });
  });

  test('ends with 0 and no message if the reader closes the pipe within a long response', async () => {
    const target = await listening((_, response) => response.end(`{"items":[${'"x",'.repeat(1_000_000)}1]}`));
    const child = start(['period', 'list', '--json', '--url', target]);
    const end = finished(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.stdout?.destroy();
    expect(await end).toMatchObject({ code: 0, stderr: '' });
  });

  test('ends with 130 at Ctrl-C', async () => {
    const child = start(['events', 'tail', '--follow', '--url', url()]);
    const end = finished(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
  });
});

let later = 0;
function registeredLater() {
  later += 1;
  return {
    specversion: '1.0',
    id: `later-${later}`,
    source: 'https://pro.example/api',
    subject: `later-${later}`,
    type: 'io.clusterledger.cluster.registered.v1',
    time: '2026-04-01T00:00:00.000Z',
    data: { accountId: 'acme', name: 'later' },
  };
}
