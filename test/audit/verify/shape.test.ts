import { describe, expect, test } from 'vitest';
import { failed } from '../../../src/audit/verify/outcome.ts';
import { anyObject, count, list, object, orNull, type Shape, text } from '../../../src/audit/verify/shape.ts';

/** Returns why a value does not have a shape; `undefined` if it has. */
function whyNot(shape: Shape, value: unknown, path = 'a'): string | undefined {
  try {
    shape(path, value);
    return undefined;
  } catch (error) {
    const { check, why } = failed(error);
    expect(check).toBe('format');
    return why;
  }
}

const word = text('a word', (value) => /^[a-z]+$/.test(value));
const pair = object({ x: count }, { y: word });

describe('a shape', () => {
  test.each<[shape: Shape, value: unknown]>([
    [text(), ''],
    [text(), 'any'],
    [word, 'abc'],
    [count, 0],
    [count, 1],
    [count, 9_007_199_254_740_991],
    [anyObject, {}],
    [anyObject, { z: 1 }],
    [orNull(count), null],
    [orNull(count), 1],
    [list(count), []],
    [list(count), [0, 1, 2]],
    [list(count, 1), [0]],
    [list(count, 1, 2), [0]],
    [list(count, 1, 2), [0, 1]],
    [object({}), {}],
    [pair, { x: 1 }],
    [pair, { x: 1, y: 'a' }],
  ])('is had: %#', (shape, value) => {
    expect(whyNot(shape, value)).toBeUndefined();
  });

  test.each<[shape: Shape, value: unknown, why: string]>([
    [text(), 1, 'a: must be text'],
    [text(), undefined, 'a: must be text'],
    [word, 'A', 'a: must be a word'],
    [word, 1, 'a: must be a word'],
    [count, -1, 'a: must be a whole number from 0'],
    [count, 1.5, 'a: must be a whole number from 0'],
    [count, 9_007_199_254_740_992, 'a: must be a whole number from 0'],
    [count, '1', 'a: must be a whole number from 0'],
    [anyObject, null, 'a: must be an object'],
    [anyObject, [], 'a: must be an object'],
    [anyObject, 'x', 'a: must be an object'],
    [orNull(count), undefined, 'a: must be a whole number from 0'],
    [list(count), {}, 'a: must be a list'],
    [list(count, 1), [], 'a: must be a list of at least 1; it has 0'],
    [list(count, 1, 2), [], 'a: must be a list of 1 to 2; it has 0'],
    [list(count, 1, 2), [0, 1, 2], 'a: must be a list of 1 to 2; it has 3'],
    [list(count), [0, 'x', -1], 'a[1]: must be a whole number from 0'],
    [list(list(count)), [[0], [0, null]], 'a[1][1]: must be a whole number from 0'],
    [pair, [], 'a: must be an object'],
    [pair, null, 'a: must be an object'],
    [pair, {}, 'a: must be an object with the member "x"'],
    [pair, { y: 'a' }, 'a: must be an object with the member "x"'],
    [pair, Object.create({ x: 1 }), 'a: must be an object with the member "x"'],
    [pair, { x: 1, z: 2 }, 'a: must be an object without a member "z"'],
    [pair, { x: '1' }, 'a.x: must be a whole number from 0'],
    [pair, { x: 1, y: 'A' }, 'a.y: must be a word'],
  ])('is not had, and the first thing that is wrong is named: %#', (shape, value, why) => {
    expect(whyNot(shape, value)).toBe(why);
  });

  test('names the file if the path is empty, and its members without a dot', () => {
    expect(whyNot(pair, 1, '')).toBe('the file: must be an object');
    expect(whyNot(pair, { x: -1 }, '')).toBe('x: must be a whole number from 0');
  });
});
