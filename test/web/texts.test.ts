import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../web');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Texts {
  readonly [key: string]: string | Texts;
}

const textsOf = (language: string, namespace: string) =>
  JSON.parse(read(`i18n/${language}/${namespace}.json`)) as Texts;

/** Returns the keys of a file, such as `state.loading`. */
function keysOf(texts: Texts, prefix = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${prefix}${key}`] : keysOf(value, `${prefix}${key}.`),
  );
}

/** Returns the keys without the endings of plural forms, of which each language has its own. */
const withoutPlurals = (keys: readonly string[]) =>
  [...new Set(keys.map((key) => key.replace(/_(zero|one|two|few|many|other)$/, '')))].sort();

const textAt = (texts: Texts, key: string) =>
  key.split('.').reduce<string | Texts | undefined>((at, part) => (at as Texts | undefined)?.[part], texts);

const placeholdersOf = (text: unknown) =>
  [...String(text).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name);

const namespaces = (language: string) =>
  globSync('*.json', { cwd: join(root, 'i18n', language) })
    .map((file) => file.replace('.json', ''))
    .sort();

test('both languages have the same files of texts', () => {
  expect(namespaces('zh-CN')).toEqual(namespaces('en'));
});

describe.each(namespaces('en'))('the texts %s', (namespace) => {
  const [en, zh] = [textsOf('en', namespace), textsOf('zh-CN', namespace)];

  test('have the same keys in both languages', () => {
    expect(withoutPlurals(keysOf(zh))).toEqual(withoutPlurals(keysOf(en)));
  });

  test('have the same placeholders in both languages, and no empty text', () => {
    for (const key of keysOf(zh)) {
      const english = textAt(en, key) ?? textAt(en, key.replace(/_\w+$/, '_other'));
      expect(placeholdersOf(textAt(zh, key)).sort(), key).toEqual(placeholdersOf(english).sort());
      expect(textAt(zh, key), key).not.toBe('');
    }
  });
});

const sources = globSync('**/*.tsx', { cwd: root }).map((file) => ({ file, source: read(file) }));

/** Attributes whose values a person reads or hears. */
const SPOKEN = /^(aria-label|aria-description|alt|title|label|placeholder|description|lead|unit)$/;
const HAS_WORD = /\p{L}{2,}/u;

/** Returns the text in the source of a component that is not from the files of texts. */
function writtenText(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && HAS_WORD.test(node.text) && !/^\s*UTC\s*$/.test(node.text))
      found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && SPOKEN.test(node.name.getText()) && node.initializer !== undefined) {
      const { initializer } = node;
      if (ts.isStringLiteral(initializer) && HAS_WORD.test(initializer.text)) found.push(initializer.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('a.tsx', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}

describe('the check for text in components', () => {
  test('finds text between tags and in attributes that are read aloud', () => {
    const source = `const a = <p title="A name">Hello {t('x')}</p>;`;
    expect(writtenText(source)).toEqual(['A name', 'Hello']);
    expect(writtenText(`const a = <p title={t('a')} className="name">{' – '}</p>;`)).toEqual([]);
  });
});

test.each(sources)('$file has no text of its own', ({ source }) => {
  expect(writtenText(source)).toEqual([]);
});

/** Returns the keys that a source asks for, with their files of texts. Keys that are computed are left out. */
function usedKeys(source: string): readonly (readonly [namespace: string, key: string])[] {
  const spaces = new Map(
    [...source.matchAll(/\{ ?t(?:: (\w+))?(?:, i18n)? ?\} = useTranslation\((?:'([\w-]+)')?\)/g)].map(
      ([, name = 't', namespace = 'common']) => [name, namespace],
    ),
  );
  return [...source.matchAll(/\b(\w+)\(\s*'((?:[\w-]+:)?[\w.-]+)'/g)].flatMap(([, name = '', key = '']) => {
    const own = spaces.get(name);
    if (own === undefined) return [];
    const [namespace = own, path = key] = key.includes(':') ? key.split(':') : [own, key];
    return [[namespace, path] as const];
  });
}

test.each(sources)('$file asks only for texts that there are', ({ source }) => {
  const missing = usedKeys(source).filter(([namespace, key]) => {
    const texts = textsOf('en', namespace);
    return typeof (textAt(texts, key) ?? textAt(texts, `${key}_other`)) !== 'string';
  });
  expect(missing).toEqual([]);
});
