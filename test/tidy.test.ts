import { glob, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { SETTING_PATHS, variableOf } from '../src/config/settings.ts';
import { ALERTS } from '../src/domain/alert.ts';
import { FACT_TYPES } from '../src/domain/facts/fact.ts';
import { STREAMS } from '../src/domain/stream-table.ts';
import { PolicySettings } from '../src/domain/validation/judging/policy.ts';
import { VERDICT_CODES } from '../src/domain/validation/judging/verdict.ts';
import { PROBLEMS } from '../src/http/server/problem.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFile(join(root, file), 'utf8');

test('docs/errors.md lists exactly the problems of the code, with their status', async () => {
  const rows = [...(await read('docs/errors.md')).matchAll(/^\| `([a-z-]+)` +\| (\d{3}) +\|/gm)];
  const listed = Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]));
  expect(listed).toEqual(
    Object.fromEntries(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status])),
  );
});

test('docs/validator.md lists exactly the alerts of the code, with their severity, and the settings of a policy', async () => {
  const page = await read('docs/validator.md');
  const alerts = [...page.matchAll(/^\| `([a-z-]+)` +\| (critical|warning|info) +\|/gm)];
  expect(Object.fromEntries(alerts.map(([, kind, severity]) => [kind, severity]))).toEqual(
    Object.fromEntries(Object.entries(ALERTS).map(([kind, { severity }]) => [kind, severity])),
  );
  const [thresholds = ''] = page.split('## From verdicts to facts')[1]?.split('\n## ') ?? [];
  const settings = [...thresholds.matchAll(/^\| `([A-Za-z]+)` +\|/gm)].map(([, name]) => name);
  expect(settings.toSorted()).toEqual(Object.keys(PolicySettings.shape).sort());
});

test('docs/validator.md lists exactly the codes of verdicts, each with its state', async () => {
  const [, table = ''] = (await read('docs/validator.md')).split('## What a probe asks');
  const [rows = ''] = table.split('\n## ');
  const listed: Record<string, string[]> = {};
  let codes: string[] = [];
  for (const [, state, code = ''] of rows.matchAll(/^\| (?:`(\w+)`)? +\| `([a-z-]+)` +\|/gm)) {
    if (state !== undefined) {
      codes = [];
      listed[state] = codes;
    }
    codes.push(code);
  }
  expect(listed).toEqual(VERDICT_CODES);
});

test('every file that the docs link to or name exists', async () => {
  const all = (await readdir(root, { recursive: true })).filter(isProjectFile);
  const files = new Set(all);
  const docs = all.filter((file) => /^(docs\/.+|[A-Z]+)\.md$/.test(file));
  expect(docs).toEqual(expect.arrayContaining(['README.md', 'docs/ARCHITECTURE.md', 'docs/validator.md']));
  for (const doc of docs) {
    const text = await read(doc);
    const links = [...text.matchAll(/\]\((?!http|#)([^)#]+)/g)].map(([, link]) =>
      join(doc, '..', link as string),
    );
    const named = [...text.matchAll(/`((?:test|src|docs)\/[\w./-]+\.\w+)`/g)].map(
      ([, file]) => file as string,
    );
    for (const file of [...links, ...named]) {
      expect(files.has(file.replace(/\/$/, '')), `${doc} names ${file}`).toBe(true);
    }
  }
});

test('docs/README.md lists every page of docs/', async () => {
  const pages = (await readdir(join(root, 'docs'), { recursive: true })).filter((file) =>
    file.endsWith('.md'),
  );
  const index = await read('docs/README.md');
  const linked = [...index.matchAll(/\]\(([^)#]+)/g)].map(([, link]) => link as string);
  // A link to a folder lists the pages in it.
  const missing = pages.filter(
    (page) =>
      page !== 'README.md' &&
      !linked.some((link) => link === page || (link.endsWith('/') && page.startsWith(link))),
  );
  expect(missing).toEqual([]);
});

function isProjectFile(file: string): boolean {
  return !file.startsWith('node_modules') && !file.startsWith('.git/');
}

test('every setting that the README lists exists', async () => {
  const listed = [...(await read('README.md')).matchAll(/^\| `(LEDGER_\w+)` +\|/gm)].map(([, name]) => name);
  expect(listed.length).toBeGreaterThan(0);
  expect(SETTING_PATHS.map(variableOf)).toEqual(expect.arrayContaining(listed));
});

interface DependencyRule {
  readonly from: { readonly path?: string; readonly pathNot?: string };
  readonly to: { readonly path?: string; readonly pathNot?: string | readonly string[] };
}

/** Files of layers of which others may import only a part. */
const IMPORTED_PARTS: Readonly<Record<string, string>> = {
  eventstore: 'src/eventstore/event-store.ts',
  kubernetes: 'src/kubernetes/settings/some-file.ts',
};

/** Returns whether .dependency-cruiser.cjs lets a file of one layer import a file of another. */
function allowsImport(rules: readonly DependencyRule[], from: string, to: string): boolean {
  const target = IMPORTED_PARTS[to] ?? `src/${to}/some-file.ts`;
  return !rules.some((rule) => {
    if (rule.from.path === undefined || (rule.to.path ?? rule.to.pathNot) === undefined) return false;
    const importer = `src/${from}/some-file.ts`;
    const source = new RegExp(rule.from.path).exec(importer);
    const isExempt = rule.from.pathNot !== undefined && new RegExp(rule.from.pathNot).test(importer);
    if (source === null || isExempt) return false;
    const matches = (pattern: string) => new RegExp(pattern.replaceAll('$1', source[1] ?? '')).test(target);
    return matches(rule.to.path ?? '') && ![rule.to.pathNot ?? []].flat().some(matches);
  });
}

test('docs/ARCHITECTURE.md lists exactly the layers of src, and the imports that the dependency rules allow', async () => {
  const page = await read('docs/ARCHITECTURE.md');
  const [table = ''] = page.split('\n## Layers\n')[1]?.split('\n## ') ?? [];
  const rows = [...table.matchAll(/^\| `(\w+)` +\|.*\| ([^|]*?) +\|$/gm)].map(([, name, imports]) => ({
    name: name as string,
    imports: imports as string,
  }));
  const layers = (await readdir(join(root, 'src'), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
    forbidden: readonly DependencyRule[];
  };
  const hasRule = (layer: string) =>
    forbidden.some(({ from }) => new RegExp(`\\b${layer}\\b`).test(from.path ?? ''));
  expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(layers));
  for (const { name, imports } of rows) {
    expect(layers.includes(name) || hasRule(name), `${name} is a layer`).toBe(true);
    const named = [...imports.matchAll(/`(\w+)`/g)].map(([, layer]) => layer);
    const others = layers.filter((layer) => layer !== name);
    const listed = others.filter((layer) => named.includes(layer) !== imports.startsWith('all'));
    const allowed = others.filter((layer) => allowsImport(forbidden, name, layer));
    if (hasRule(name)) expect(listed, `layers that ${name} may import`).toEqual(allowed);
    else expect(allowed, `layers that ${name} may import`).toEqual(expect.arrayContaining(listed));
  }
});

test('the layers that may not import the table of streams spell the same names and event types', async () => {
  const { cluster, period, checkpoints } = STREAMS;
  const spelled = Object.values(STREAMS)
    .filter(({ writer }) => /^src\/(audit|eventstore)\//.test(writer))
    .map(({ name, types, writer }) => ({ file: writer, words: [name, ...types] }));
  const prefix = ({ name }: { name: string }) => name.slice(0, -1);
  const verifier = [
    { file: 'src/audit/verify/billing-fact.ts', words: [prefix(cluster), ...FACT_TYPES] },
    { file: 'src/audit/verify/closings.ts', words: [prefix(period), ...period.types] },
    { file: 'src/audit/verify/verify-store.ts', words: [checkpoints.name] },
  ];
  expect(spelled).toHaveLength(5);
  for (const { file, words } of [...spelled, ...verifier]) {
    const text = await read(file);
    for (const word of words) expect(text.includes(`'${word}'`), `${file} spells ${word}`).toBe(true);
  }
  const builder = await read('src/audit/evidence/build-evidence.ts');
  for (const word of [prefix(cluster), prefix(period)]) expect(builder).toContain(`\`${word}\${`);
});

/** Folders that hold one file for each resource or command, so that their files have the same names. */
const KINDS = [/^src\/http\/routes\//, /^src\/api\//, /^src\/cli\/commands\//];

test('a file name is there twice in src only in folders with a file for each resource: routes, schemas and commands', async () => {
  const places = new Map<string, string[]>();
  for await (const file of glob('src/**/*.ts', { cwd: root })) {
    const name = basename(file);
    places.set(name, [...(places.get(name) ?? []), file]);
  }
  const repeated = [...places.values()].filter(({ length }) => length > 1).flat();
  expect(repeated.filter((file) => !KINDS.some((kind) => kind.test(file)))).toEqual([]);
});
