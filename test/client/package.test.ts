import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerForTest } from '../support/ledger.ts';

const run = promisify(execFile);
const PACKAGE = resolve('packages/client');
const environment = { PATH: dirname(process.execPath), NODE_ENV: 'test' };

/** A folder of an app that has installed the packed package, and the files of the package. */
let app: string;
let tarball: Buffer;
let files: string[];

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'client-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', app], { cwd: PACKAGE });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  files = packed.files.map(({ path }) => path);
  tarball = await readFile(join(app, packed.filename));
  const installed = join(app, 'node_modules/@cluster-ledger/client');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(app, packed.filename), '--strip-components=1', '-C', installed]);
  await mkdir(join(app, 'node_modules/@types'));
  await symlink(resolve('node_modules/@types/node'), join(app, 'node_modules/@types/node'));
  await symlink(resolve('node_modules/undici-types'), join(app, 'node_modules/undici-types'));
  await writeFile(join(app, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rm(app, { recursive: true }));

describe('the package @cluster-ledger/client', () => {
  test('has no dependencies, and holds what it needs and nothing else', async () => {
    const manifest = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('peerDependencies');
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']),
    );
    const strange = files.filter((file) => !/^(README\.md|package\.json|dist\/.*\.(js|d\.ts))$/.test(file));
    expect(strange).toEqual([]);
  });

  test('passes publint without a message', async () => {
    const { messages, pkg } = await publint({ pkgDir: PACKAGE, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('has types that every ESM resolution of TypeScript finds, as "are the types wrong" sees it', async () => {
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    const problems = 'problems' in result ? result.problems : [];
    expect(result.types).not.toBe(false);
    // The package is for `import`. A `require` of it works in every Node.js that it supports, but its types say that it is ESM.
    expect(problems.filter((problem) => !('kind' in problem) || problem.kind !== 'CJSResolvesToESM')).toEqual(
      [expect.objectContaining({ kind: 'NoResolution', resolutionKind: 'node10' })],
    );
  });
});

describe('the README of @cluster-ledger/client', () => {
  test('has examples that compile under strict in each module resolution, and run in order against a ledger', async () => {
    const ledger = await ledgerForTest({ now: new Date().toISOString() });
    const page = await readFile(join(PACKAGE, 'README.md'), 'utf8');
    const examples = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) =>
      (text as string).replaceAll('http://127.0.0.1:8400', `http://127.0.0.1:${ledger.port}`),
    );
    expect(examples).toHaveLength(4);
    for (const [i, text] of examples.entries()) await writeFile(join(app, `example-${i}.ts`), text);
    for (const [module, moduleResolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const compilerOptions = {
        strict: true,
        noEmit: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        target: 'es2023',
        lib: ['es2023'],
        types: ['node'],
        module,
        moduleResolution,
      };
      await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      const { stdout } = await run(resolve('node_modules/.bin/tsc'), ['-p', app], {
        env: environment,
      }).catch((error: { stdout: string }) => error);
      expect(stdout).toBe('');
    }
    const told: string[] = [];
    for (const i of examples.keys()) {
      ledger.pass(Date.now() - ledger.now);
      const { stdout } = await run(process.execPath, [`example-${i}.ts`], { cwd: app, env: environment });
      told.push(stdout);
    }
    expect(told[0]).toContain('waiting: 0');
    expect(told[3]).toMatch(/^c-42 deleted\nc-43 billed\n\d+\.\d{3}\n404 not-found\n$/);
  });
});
