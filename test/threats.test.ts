/** docs/threats.md and docs/reliability.md: each threat and each fault names tests that exist. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replacedOnce } from './torture/returned-faults.ts';
import { RETURNED_FAULTS } from './torture/returned-faults-table.ts';

const root = join(import.meta.dirname, '..');
const linesOf = (page: string) => readFileSync(join(root, page), 'utf8').split('\n');
const rows = linesOf('docs/threats.md').filter((line) => /^\| T\d+ /.test(line));
const faults = linesOf('docs/reliability.md').filter((line) => / \| `test\/[^`]+`: /.test(line));

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

test.each([
  ['docs/threats.md', rows],
  ['docs/reliability.md', faults],
])('every test that %s names exists, with its title', (_, named) => {
  const missing = named.flatMap((row) =>
    testsOf(row).filter(
      ({ file, title }) =>
        !existsSync(join(root, file)) || !readFileSync(join(root, file), 'utf8').includes(title),
    ),
  );
  expect(named.length).toBeGreaterThan(0);
  expect(missing).toEqual([]);
});

test('every test of a fault in docs/reliability.md is shown to fail with the fault, by a change that the sources can take', () => {
  const named = faults.flatMap((row) => testsOf(row).map(({ file, title }) => `${file}: ${title}`));
  expect(RETURNED_FAULTS.map(({ test }) => test).toSorted()).toEqual(named.toSorted());
  for (const { edits } of RETURNED_FAULTS)
    for (const { file, from, to } of edits)
      expect(() => replacedOnce(readFileSync(join(root, file), 'utf8'), from, to)).not.toThrow();
});
