import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { canonicalJson } from '../../src/audit/canonical-json.ts';
import type { canonicalText } from '../../src/audit/canonical-text.ts';

let text: typeof canonicalText;
let json: typeof canonicalJson;
beforeEach(async () => {
  vi.resetModules();
  text = (await import('../../src/audit/canonical-text.ts')).canonicalText;
  json = (await import('../../src/audit/canonical-json.ts')).canonicalJson;
});

/** Number of calls of a function of the runtime while `run` runs. */
function callsOf(object: { parse: unknown } | { toSorted: unknown }, run: () => void): number {
  const spy = 'parse' in object ? vi.spyOn(JSON, 'parse') : vi.spyOn(Array.prototype, 'toSorted');
  try {
    run();
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

/** Whether a text is parsed, and not copied by a known shape. */
const isParsed = (source: string, kind: string) => callsOf(JSON, () => void text(source, kind)) > 0;

/** Whether a text is copied without parsing after another one of the same shape. */
function isLearned(first: string, second = first): boolean {
  expect(isParsed(first, 'kind')).toBe(true);
  return !isParsed(second, 'kind');
}

const nested = (depth: number, inner: string) => '{"b":'.repeat(depth) + inner + '}'.repeat(depth);
const flat = (values: number) =>
  `{${Array.from({ length: values }, (_, i) => `"k${String(i).padStart(3, '0')}":1`).join(',')}}`;

describe('the shape of a JSON text', () => {
  test('is learned from the first text, so that the next ones need not be parsed', () => {
    expect(isLearned('{"b":"x","a":{"d":1,"c":null}}')).toBe(true);
    expect(text('{"b":"y","a":{"d":"","c":true}}', 'kind')).toBe('{"a":{"c":true,"d":""},"b":"y"}');
  });

  test('is another one for each kind of text', () => {
    expect(isLearned('{"a":1}')).toBe(true);
    expect(isParsed('{"a":1}', 'other')).toBe(true);
    expect(isParsed('{"a":1}', 'other')).toBe(false);
    expect(isParsed('{"a":1}', 'kind')).toBe(false);
  });

  test.each([
    '""',
    '"ä€ "',
    '"a\u007f"',
    'true',
    'false',
    'null',
    '0',
    '7',
    '-7',
    '10',
    '123456789012345',
    '-999999999999999',
  ])('has a place for the value %s', (value) => {
    expect(isLearned('{"a":1}', `{"a":${value}}`)).toBe(true);
    expect(text(`{"a":${value}}`, 'kind')).toBe(`{"a":${value}}`);
  });

  test.each([
    ['1234567890123456', '1234567890123456'],
    ['-0', '0'],
    ['1.0', '1'],
    ['1e2', '100'],
    ['"\\u0041"', '"A"'],
    ['"😀"', '"😀"'],
    ['[]', '[]'],
    ['{}', '{}'],
    [' 1', '1'],
  ])('has no place for the value %s, which may not be canonical', (value, canonical) => {
    expect(isLearned('{"a":1}', `{"a":${value}}`)).toBe(false);
    expect(text(`{"a":${value}}`, 'kind')).toBe(`{"a":${canonical}}`);
  });

  test.each([
    ['an empty object', '{}', true],
    ['an empty object within an object', '{"a":{}}', true],
    ['keys of letters, digits and underscores', '{"a_1":1,"Z":2}', true],
    ['a key with a dot', '{"a.b":1}', false],
    ['a key with a dot within an object', '{"c":{"a.b":1}}', false],
    ['a key with a dot before a plain one', '{"a.b":1,"c":{"d":1}}', false],
    ['an empty key', '{"":1}', false],
    ['an array', '[1]', false],
    ['an array of objects', '{"a":[{"b":1}]}', false],
    ['a text', '"a"', false],
    ['a number', '7', false],
    ['null', 'null', false],
    ['white space', '{"a": 1}', false],
    ['an escape', '{"a":"\\n"}', false],
    ['the same key twice', '{"a":1,"a":1}', false],
    ['objects in 8 levels', nested(7, '{"a":1}'), true],
    ['objects in 9 levels', nested(8, '{"a":1}'), false],
    ['64 values', flat(64), true],
    ['65 values', flat(65), false],
    ['65 values, some of them within another object', `{"a":${flat(64)},"b":1}`, false],
    ['64 values, some of them within another object', `{"a":${flat(63)},"b":1}`, true],
  ])('for a text with %s: %s is learned: %s', (_, source, learned) => {
    expect(isLearned(source)).toBe(learned);
  });

  test('is one of at most 8 of its kind', () => {
    const shapes = Array.from({ length: 9 }, (_, n) => `{"k${n}":1}`);
    for (const shape of shapes) text(shape, 'kind');
    // Twice, because each use of a shape moves it to the front.
    for (let round = 0; round < 2; round++)
      expect(shapes.map((shape) => isParsed(shape, 'kind'))).toEqual([...Array(8).fill(false), true]);
  });

  test('is not counted if its first text does not match it', () => {
    for (let n = 0; n < 8; n++) text(`{"k${n}": 1}`, 'kind');
    expect(isLearned('{"a":1}')).toBe(true);
  });

  test('is one of at most 256', () => {
    const kinds = Array.from({ length: 33 }, (_, kind) =>
      Array.from({ length: 8 }, (_, n) => [`{"k${n}":1}`, `kind ${kind}`] as const),
    ).flat();
    for (const [source, kind] of kinds) text(source, kind);
    expect(kinds.filter(([source, kind]) => !isParsed(source, kind))).toEqual(kinds.slice(0, 256));
  });
});

describe('the shape of an object', () => {
  const sorts = (object: Parameters<typeof json>[0]) => callsOf([], () => void json(object));

  test('is sorted once, however often objects have the same keys in the same order', () => {
    expect([sorts({ b: 1, a: 2 }), sorts({ b: 3, a: 4 }), sorts({ b: '', a: null })]).toEqual([1, 0, 0]);
    expect(sorts({ a: 1, b: 2 })).toBe(1);
    expect(sorts({ b: 1, a: 2 })).toBe(0);
    expect(sorts([{ b: 1, a: 2 }, { a: 1, b: 2 }, {}, {}])).toBe(1);
  });

  test('is another one if the objects have only their first key in common', () => {
    expect(
      [{ b: 1, a: 2 }, { b: 1, c: 2 }, { b: 1 }, { b: 1, c: 2, a: 3 }].map((each) => json(each)),
    ).toEqual(['{"a":2,"b":1}', '{"b":1,"c":2}', '{"b":1}', '{"a":3,"b":1,"c":2}']);
  });

  test('is one of at most 1,000 in memory', () => {
    expect(sorts({ first: 1 })).toBe(1);
    for (let n = 0; n < 999; n++) json({ [`k${n}`]: 1 });
    expect(sorts({ first: 1 })).toBe(0);
    json({ another: 1 });
    expect(sorts({ first: 1 })).toBe(1);
  });
});

describe('canonical JSON', () => {
  test.each([
    [undefined, 'null'],
    [[undefined, () => 1], '[null,null]'],
    [[], '[]'],
    [true, 'true'],
    [null, 'null'],
    ['a', '"a"'],
    ['"\\\u0000\n\u001f\u007f', '"\\"\\\\\\u0000\\n\\u001f\u007f"'],
    [{ 'a"': 1, '': [{ b: [], a: {} }] }, '{"":[{"a":{},"b":[]}],"a\\"":1}'],
  ])('writes %j as %s', (value, canonical) => {
    expect(json(value as never)).toBe(canonical);
  });

  test.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])('has no limit of depth: %s', (open, close) => {
    const deep = `${open.repeat(9_000)}1${close.repeat(9_000)}`;
    expect(json(JSON.parse(deep))).toBe(deep);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('cannot write %d', (number) => {
    expect(() => json({ number })).toThrow(/is not allowed$/);
  });
});
