import { expect, test } from 'vitest';
import { z } from 'zod';
import { constraintOf } from '../../src/util/constraint-of.ts';

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
