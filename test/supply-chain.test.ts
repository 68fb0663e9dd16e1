import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const json = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const { dependencies, devDependencies } = json('package.json') as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const locked = Object.entries((json('package-lock.json') as { packages: Record<string, Locked> }).packages);
/** Packages of the registry, and not the workspaces of this repository. */
const packages = locked.filter(
  ([path, { link, inBundle }]) => path.includes('node_modules/') && !link && !inBundle,
);

/** Licenses that allow a product to be shipped with a notice. */
const ALLOWED = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  '0BSD',
  'Unlicense',
  'CC0-1.0',
  '(BSD-3-Clause AND Apache-2.0)',
]);

test('every package is locked to the registry with a checksum, and no script runs at its installation', () => {
  const loose = packages.filter(
    ([, { resolved, integrity }]) =>
      // Without an address, npm asks the registry.
      resolved?.startsWith('https://registry.npmjs.org/') === false || !integrity?.startsWith('sha512-'),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const installs = dockerfile.match(/npm (ci|install)[^\n]*/g) ?? [];
  expect(installs.length).toBeGreaterThan(0);
  for (const install of installs) expect(install).toMatch(/^npm ci .*--ignore-scripts/);
});

test('the lock file and package.json say the same', () => {
  const [, own] = locked.find(([path]) => path === '') ?? ['', {}];
  expect(own.dependencies).toEqual(dependencies);
  expect(own.devDependencies).toEqual(devDependencies);
});

test('every direct dependency has a reason in docs/dependencies.md, and every reason a dependency', () => {
  const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| (\S.*\S) +\|$/gm)].map(([, name]) => name);
  expect(rows).toEqual(Object.keys(dependencies).toSorted());
});

test('the ledger imports nothing that is not a dependency of its own', () => {
  const imported = new Set<string>();
  for (const file of globSync(['src/**/*.ts', 'bin/*.js'], { cwd: root }))
    for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:import (?!type)|export |\} )(?:.* )?from '([^'.][^']*)';$/gm,
    ))
      imported.add(
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      );
  const known = new Set([...Object.keys(dependencies), ...builtinModules]);
  expect([...imported].filter((name) => !name.startsWith('node:') && !known.has(name))).toEqual([]);
});

test('every package that is installed with the ledger has a license that allows it to be shipped', () => {
  const shipped = packages.filter(([, { dev, devOptional }]) => !dev && !devOptional);
  expect(shipped.length).toBeGreaterThan(50);
  expect(
    shipped
      .filter(([, { license = 'none' }]) => !ALLOWED.has(license))
      .map(([path, { license }]) => `${path}: ${license}`),
  ).toEqual([]);
});

test('npm run sbom prints a CycloneDX document of all direct dependencies, and of no tool', () => {
  const document = JSON.parse(
    execFileSync('npm', ['run', '--silent', 'sbom'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as { bomFormat: string; components: { name: string; version: string; licenses?: unknown[] }[] };
  expect(document.bomFormat).toBe('CycloneDX');
  const names = new Set(document.components.map(({ name }) => name));
  expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([]);
  expect(names.has('vitest')).toBe(false);
});
