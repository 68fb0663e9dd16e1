import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonItems } from '../../src/http/server/strict-json.ts';

/**
 * Values as texts, valid JSON all of them: strict or not, with any white space. The key `a\\u0061` is `aa`, and lone surrogates,
 * numbers that no double holds, forbidden and repeated keys are not strict.
 */
const space = fc.constantFrom('', '', ' ', '\n', '\t ');
const numbers = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
  fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
  fc.constantFrom(
    '-0',
    '0',
    '1e400',
    '1E2',
    '12e3',
    '1.0',
    '9007199254740993',
    '999999999999999',
    '1000000000000001',
  ),
);
const strings = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\ud800"', '"\\u0061"', '"\\\\u0061"', '"\\\\"', '"\\""', '"{:,}"', '"1e9"', '"a\\/b"'),
);
const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('"a"', '"b"', '"c"', '"aa"', '"a\\u0061"', '"d:"') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"__proto__"', '"constructor"', '"\\u005f_proto__"', '"toString"'),
  },
  { weight: 1, arbitrary: strings },
);
const texts = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    numbers,
    strings,
    fc.constantFrom('true', 'false', 'null'),
    fc
      .tuple(space, fc.array(tie('value'), { maxLength: 3 }))
      .map(([s, items]) => `[${s}${items.join(`${s},`)}]`),
    fc
      .tuple(space, fc.array(fc.tuple(keys, tie('value')), { maxLength: 4 }))
      .map(([s, members]) => `{${members.map(([key, value]) => `${s}${key}${s}:${value}`).join(',')}${s}}`),
  ),
})).value;

/** An item whose sign makes the whole text be scanned. */
const SCANNED = '-1';

test('a body that is strict by its outline alone is judged as one that is scanned', () => {
  let unscanned = 0;
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 4 }), (items) => {
      const judge = (all: readonly string[]) => {
        const { value, faults } = parseJsonItems(Buffer.from(`[${all.join(',')}]`), 'list');
        return { values: (value as unknown[]).slice(0, items.length), faults };
      };
      const { values, faults } = judge(items);
      const scanned = judge([...items, SCANNED]);
      expect([...faults].map(([index, { error }]) => [index, error.message, error.pointer])).toEqual(
        [...scanned.faults].map(([index, { error }]) => [index, error.message, error.pointer]),
      );
      // An item with a fault is rejected, whatever its value is.
      const accepted = (all: readonly unknown[]) => all.filter((_, i) => !faults.has(i));
      expect(accepted(values)).toEqual(accepted(scanned.values));
      if (faults.size === 0 && items.length > 0) unscanned++;
    }),
    { numRuns: 5_000 },
  );
  expect(unscanned).toBeGreaterThan(500);
});

test('the sizes of the items are those of their texts, in bytes', () => {
  const { sizes } = parseJsonItems(Buffer.from('["ä", {"a":1} ,3]'), 'list');
  expect(sizes).toEqual([4, 9, 1]);
  expect(parseJsonItems(Buffer.from('{"a":"ä"}'), 'whole').sizes).toEqual([10]);
});
