import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtConsole } from '../support/console.ts';

/** Limits of the scripts that a page needs before it shows anything, as they are sent. Links and people begin with the first ones. */
const MAX_FIRST_BYTES = 200_000;
const MAX_BYTES = 240_000;
const FIRST_PAGES = ['overview', 'clusters', 'cluster', 'deletions', 'sign-in'];

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

const folder = await builtConsole();
const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
  string,
  Chunk
>;

/** Returns the scripts that a chunk needs at once, itself included. */
function neededBy(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const other of manifest[name]?.imports ?? []) neededBy(other, found);
  return found;
}

/** Returns the size of scripts as the server sends them. */
function compressedBytes(names: Iterable<string>): number {
  return Array.from(
    names,
    (name) => statSync(join(folder, `${(manifest[name] as Chunk).file}.br`)).size,
  ).reduce((sum, size) => sum + size, 0);
}

const pages = Object.keys(manifest).filter((name) => /^pages\/([\w-]+)\/\1\.tsx$/.test(name));
const languages = (page: string) =>
  ['common', 'shell', page]
    .map((namespace) => `i18n/en/${namespace}.json`)
    .filter((name) => name in manifest);

describe('the scripts of a first visit', () => {
  test.each(pages)('to %s are below the limit, compressed', (page) => {
    const [, id = ''] = page.split('/');
    const needed = neededBy('index.html');
    neededBy(page, needed);
    for (const texts of languages(id)) neededBy(texts, needed);
    expect(compressedBytes(needed)).toBeLessThan(FIRST_PAGES.includes(id) ? MAX_FIRST_BYTES : MAX_BYTES);
  });

  test('do not have the library of charts', () => {
    const chart = Object.keys(manifest).find((name) => name.endsWith('ui/bar-chart.tsx'));
    expect(chart).toBeDefined();
    for (const page of pages) expect([...neededBy(page)]).not.toContain(chart);
  });
});
