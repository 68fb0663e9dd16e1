import { expect, test } from 'vitest';
import { z } from 'zod';
import { constraintOf, faultyPart } from '../../src/util/constraint-of.ts';

test.each([
  [z.string(), 7, 'must be string'],
  [z.enum(['a', 'b']), 'c', 'must be one of "a"|"b"'],
  [z.string().min(2, 'must have 2 characters or more'), 'x', 'must have 2 characters or more'],
  [
    z.record(z.string().regex(/^[a-z]+$/, 'must be of a-z'), z.string()),
    { A: '' },
    'has a key that must be of a-z',
  ],
])('constraintOf() says what is allowed and leaves out the value: case %#', (schema, value, constraint) => {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  expect(constraintOf(issue ?? { message: '' })).toBe(constraint);
});

test('faultyPart() is the value at the path of an issue, and of a wrong key the key', () => {
  const schema = z.record(z.string().max(2), z.int());
  for (const [input, part] of [
    [{ a: 'x' }, 'x'],
    [{ abc: 1 }, 'abc'],
  ] as const) {
    const [issue] = schema.safeParse(input).error?.issues ?? [];
    expect(faultyPart(issue ?? { path: [] }, input)).toBe(part);
  }
});
