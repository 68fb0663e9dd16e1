import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLedger } from '../support/ledger.ts';

/** Each file does the first jobs of the three users with the client of one generator. */
const JOBS = resolve('test/http/typed-clients');
const GENERATORS = ['openapi-fetch', 'hey-api', 'orval'] as const;

const run = promisify(execFile);
let folder: string;
let ledgers: Readonly<Record<(typeof GENERATORS)[number], Awaited<ReturnType<typeof openLedger>>>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'typed-clients-'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await cp(JOBS, folder, { recursive: true });
  ledgers = { 'openapi-fetch': await openLedger(), 'hey-api': await openLedger(), orval: await openLedger() };
  const contract = await ledgers.orval.get('/openapi.json');
  await writeFile(join(folder, 'openapi.json'), contract.text);
  const orval = {
    input: './openapi.json',
    output: { target: './orval/api.ts', client: 'fetch', baseUrl: urlOf(ledgers.orval) },
  };
  await writeFile(join(folder, 'orval.config.mjs'), `export default ${JSON.stringify({ api: orval })};`);
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        noUncheckedIndexedAccess: true,
        allowImportingTsExtensions: true,
        skipLibCheck: false,
        target: 'es2022',
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2023', 'dom', 'dom.iterable'],
        types: [],
      },
    }),
  );
  await tool('openapi-typescript', 'openapi.json', '-o', 'openapi-typescript.ts');
  await tool('openapi-ts', '-i', 'openapi.json', '-o', 'hey-api', '-c', '@hey-api/client-fetch');
  await tool('orval', '--config', 'orval.config.mjs');
});
afterAll(async () => {
  await Promise.all(Object.values(ledgers).map((ledger) => ledger.discard()));
  await rm(folder, { recursive: true });
});

function urlOf({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`;
}

function tool(name: string, ...options: string[]) {
  const env = { PATH: dirname(process.execPath), HOME: folder, NODE_ENV: 'test' };
  return run(resolve('node_modules/.bin', name), options, { cwd: folder, env });
}

describe('the clients that generators make of the OpenAPI document', () => {
  test('compile under strict, and so do the jobs of the three users, without a cast', async () => {
    const { stdout } = await tool('tsc', '-p', '.').catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  test.each(GENERATORS)('post events, pull usage and statements, and replay facts: %s', async (generator) => {
    const { jobs } = await import(pathToFileURL(join(folder, `${generator}.ts`)).href);
    expect(await jobs(urlOf(ledgers[generator]))).toEqual({
      outcomes: ['duplicate', 'appended', 'urn:cluster-ledger:problem:registration-conflict'],
      seconds: [['globex', '864000.000']],
      billed: ['864000.000'],
      refused: 'urn:cluster-ledger:problem:invalid-request',
      names: ['staging'],
      accounts: ['globex', '2026-03'],
      facts: ['ClusterRegistered.v2', 'ClusterDeleted', 'BillingStopped'],
      seal: true,
    });
  });
});
