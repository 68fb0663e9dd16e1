import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** The fenced blocks of a page, with their languages. */
function blocks(text: string): string[] {
  return [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
    ([, language, block]) => `${language}\n${block}`,
  );
}

/** The levels of the headings of a page, in order. */
function levels(text: string): number[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  return [...prose.matchAll(/^(#+) /gm)].map(([, marks]) => (marks as string).length);
}

/** The pages that a page links to, in English. */
function links(text: string): string[] {
  const targets = [...text.matchAll(/\]\(((?!http|#)[^)#]+)/g)].map(([, link]) =>
    (link as string).replace('.zh-CN', ''),
  );
  return [...new Set(targets)].sort();
}

/** Returns the code words in the table of a page. */
function terms(text: string): string[] {
  return [...text.matchAll(/^\| `(\w+)`/gm)].map(([, term]) => term as string);
}

describe.each(['docs/guides/customer', 'docs/guides/billing'])('the Chinese page %s', (page) => {
  const [english, chinese] = [read(`${page}.md`), read(`${page}.zh-CN.md`)];

  test('has the headings, commands, terms and links of the English one', () => {
    expect(levels(chinese)).toEqual(levels(english));
    expect(blocks(chinese)).toEqual(blocks(english));
    expect(terms(chinese)).toEqual(terms(english));
    expect(links(chinese)).toEqual(links(english));
  });

  test('is in simplified Chinese', () => {
    expect(chinese.match(/\p{Script=Han}/gu)?.length ?? 0).toBeGreaterThan(300);
    // Characters that only traditional Chinese writes this way.
    expect(chinese).not.toMatch(/[帳單費們來時數據證]/u);
  });
});

test('README.zh-CN.md has the commands of README.md in the same order, and the settings that it shows', () => {
  const [english, chinese] = [read('README.md'), read('README.zh-CN.md')].map(blocks) as [string[], string[]];
  const commands = (all: string[]) => all.filter((block) => /^(?:sh|yaml)\n/.test(block));
  expect(commands(chinese)).toEqual(commands(english));
  expect(chinese.length).toBeGreaterThan(5);
});
