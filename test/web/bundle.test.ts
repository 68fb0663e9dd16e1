import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtConsole } from '../support/console.ts';

/** Limit of the scripts of a first visit, in bytes as they are sent. */
const MAX_BYTES = 200_000;
/** The chunk of tables, which every page may show at once, even if the page loads it on its own. */
const SHOWN_AT_ONCE = 'ui/data-table.tsx';

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

const folder = await builtConsole();
const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
  string,
  Chunk
>;

/** Returns the chunk of a source file, which has another name if several pages share it. */
function chunkOf(source: string): string {
  if (source in manifest) return source;
  const [, stem = ''] = /([\w-]+)\.tsx$/.exec(source) ?? [];
  const shared = Object.keys(manifest).find((name) => name.startsWith(`_${stem}-`));
  if (shared === undefined) throw new Error(`no chunk has ${source}`);
  return shared;
}

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
  ['en', 'zh-CN'].map((language) =>
    ['common', 'shell', page]
      .map((namespace) => `i18n/${language}/${namespace}.json`)
      .filter((name) => name in manifest),
  );

describe('the scripts of a first visit', () => {
  test('are known for every page', () => {
    expect(pages.length).toBeGreaterThanOrEqual(14);
  });

  test.each(pages)('to %s are below 200 kB compressed, with its tables and charts', (page) => {
    const [, id = ''] = page.split('/');
    for (const texts of languages(id)) {
      const needed = neededBy('index.html');
      neededBy(page, needed);
      neededBy(chunkOf(SHOWN_AT_ONCE), needed);
      for (const text of texts) neededBy(text, needed);
      expect(compressedBytes(needed)).toBeLessThan(MAX_BYTES);
    }
  });
});
