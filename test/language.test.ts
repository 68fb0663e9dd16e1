import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { countWhere, findingsIn, type Rule } from './support/language.ts';

const root = join(import.meta.dirname, '..');

/** Conditional "where" is rare in good sources: zod has 0.8 per thousand words of comments, fastify 0.5, fast-check 0.4. */
const WHERES_PER_THOUSAND_WORDS = 1;

const samples: readonly (readonly [Rule, bad: string, good: string])[] = [
  ['comment-begins-with-what', '/** What is kept. */', '/** The kept events. */'],
  ['comment-begins-with-what', '// What is kept.\nconst a = 1;', '// Says what is kept.\nconst a = 1;'],
  ['whoever', '/** Ended by whoever started it. */', '/** Ended by the caller. */'],
  ['for-ever', "log('kept for ever');", "log('kept forever');"],
  ['is-no', "throw new Error('the body is no JSON');", "throw new Error('there is no body');"],
  ['is-no', "log('these are no facts');", "log('these are no longer facts');"],
  ['at-the-most', '/** Ten at the most. */', '/** At most ten. */'],
  ['ours-and-us', '// A copy of ours.\nconst a = 1;', '// A copy of its own; US English.\nconst a = 1;'],
  ['told', '/** The client is told so. */', '/** The client gets an error. */'],
  ['by-itself', '/** Ends by itself. */', '/** Ends without a signal. */'],
  ['title-is-a-fragment', "test('that is late is kept', f);", "test('a late fact is kept', f);"],
  [
    'title-is-a-fragment',
    "test.each([1])('of %s is kept', f);",
    "test.each([1])('a fact of %s is kept', f);",
  ],
  ['title-is-a-fragment', "describe('should work', f);", "describe('the log', f);"],
];

describe('the check of the language', () => {
  test.each(samples)('finds %s in %s and not in %s', (rule, bad, good) => {
    expect(findingsIn(bad).map((finding) => finding.rule)).toEqual([rule]);
    expect(findingsIn(good)).toEqual([]);
  });

  test('counts "where" and the words of comments, and nothing of the code', () => {
    const source = "/** Fails where it is late. */\nconst where = 'where where'; // where";
    expect(countWhere(source)).toEqual({ words: 6, wheres: 2 });
  });
});

const files = globSync('{src,test,web}/**/*.{ts,tsx}', { cwd: root }).filter(
  (file) => file !== 'test/language.test.ts',
);
const folders = Map.groupBy(files, (file) => /^(?:src|test|web)\/[\w-]+\/|^\w+\//.exec(file)?.[0] ?? '');

const findingsOf = (folder: string) =>
  sourcesOf(folder).flatMap(({ file, source }) =>
    findingsIn(source).map(({ rule, line, text }) => `${file}:${line} ${rule}: ${text}`),
  );

function sourcesOf(folder: string) {
  return (folders.get(folder) ?? []).map((file) => ({
    file,
    source: readFileSync(join(root, file), 'utf8'),
  }));
}

/** Returns how many more times than in good sources a folder says "where"; two are free, for small folders. */
function tooManyWheres(folder: string): number {
  const counts = sourcesOf(folder).map(({ source }) => countWhere(source));
  const sum = (key: 'words' | 'wheres') => counts.reduce((total, count) => total + count[key], 0);
  const allowed = 2 + Math.floor((sum('words') / 1_000) * WHERES_PER_THOUSAND_WORDS);
  return Math.max(0, sum('wheres') - allowed);
}

describe.each([...folders.keys()].sort())('the language of %s', (folder) => {
  test('follows the rules in every comment, message and title', () => {
    expect(findingsOf(folder)).toEqual([]);
  });

  test('has "where" in comments as rarely as good sources', () => {
    expect(tooManyWheres(folder)).toBe(0);
  });
});
