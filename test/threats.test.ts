/** docs/threats.md: each threat names tests that exist. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/threats.md'), 'utf8');
const rows = page.split('\n').filter((line) => /^\| T\d+ /.test(line));

/** Returns the tests that a row names: file, and title or a part of it. */
function testsOf(row: string): { file: string; title: string }[] {
  const cell = row.split(' | ').at(-1) ?? '';
  return cell
    .replace(/ \|$/, '')
    .split('<br>')
    .map((part) => {
      const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(part.trim()) ?? [];
      return { file, title };
    });
}

test('docs/threats.md has the threats T1 to T20, in order', () => {
  expect(rows.map((row) => /^\| (T\d+) /.exec(row)?.[1])).toEqual(
    Array.from({ length: 20 }, (_, n) => `T${n + 1}`),
  );
});

test('every test that docs/threats.md names exists, with its title', () => {
  const missing = rows.flatMap((row) =>
    testsOf(row).filter(
      ({ file, title }) =>
        !existsSync(join(root, file)) || !readFileSync(join(root, file), 'utf8').includes(title),
    ),
  );
  expect(missing).toEqual([]);
});
