import { expect, test } from 'vitest';
import { differenceIn } from '../../../src/audit/verify/compare.ts';

test.each<[given: unknown, expected: unknown]>([
  [1, 1],
  [null, null],
  [undefined, undefined],
  [[], []],
  [{}, {}],
  [
    { a: [1, { b: 'x' }], c: null },
    { c: null, a: [1, { b: 'x' }] },
  ],
])('%j and %j do not differ', (given, expected) => {
  expect(differenceIn('it', given, expected)).toBeUndefined();
});

test.each<[given: unknown, expected: unknown, difference: string]>([
  [1, 2, 'it is 1; by the facts it is 2'],
  ['1', 1, 'it is "1"; by the facts it is 1'],
  [undefined, null, 'it is not there; by the facts it is null'],
  [null, undefined, 'it is null; by the facts it is not there'],
  [null, {}, 'it is null; by the facts it is {}'],
  [{}, null, 'it is {}; by the facts it is null'],
  [{}, 1, 'it is {}; by the facts it is 1'],
  [1, [], 'it is 1; by the facts it is []'],
  [[], {}, 'it is []; by the facts it is {}'],
  [{}, [], 'it is {}; by the facts it is []'],
  [{ a: 1 }, { a: 2 }, 'it.a is 1; by the facts it is 2'],
  [{ a: 1 }, {}, 'it.a is 1; by the facts it is not there'],
  [{}, { a: 1 }, 'it.a is not there; by the facts it is 1'],
  [{ a: 1, b: 1 }, { b: 2, a: 2 }, 'it.b is 1; by the facts it is 2'],
  [{}, { toString: 1 }, 'it.toString is not there; by the facts it is 1'],
  [[1, 2], [1, 3], 'it[1] is 2; by the facts it is 3'],
  [[1], [1, 3], 'it[1] is not there; by the facts it is 3'],
  [[{ a: [0] }], [{ a: [1] }], 'it[0].a[0] is 0; by the facts it is 1'],
])('%j and %j differ in the first member that is named', (given, expected, difference) => {
  expect(differenceIn('it', given, expected)).toBe(difference);
});

test('a difference shows 200 characters of each value, and that more follow', () => {
  const of = (length: number) => differenceIn('it', 'a'.repeat(length - 2), 1);
  expect(of(200)).toBe(`it is "${'a'.repeat(198)}"; by the facts it is 1`);
  expect(of(201)).toBe(`it is "${'a'.repeat(199)}…; by the facts it is 1`);
});
