import { expect, test } from 'vitest';
import { messageOf } from '../../src/util/message-of.ts';

test.each([
  [new RangeError('out of range'), 'out of range'],
  ['text', 'text'],
  [undefined, 'undefined'],
])('messageOf(%s) returns %s', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});
