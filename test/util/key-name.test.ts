import { expect, test } from 'vitest';
import { hasControl, isKeyName } from '../../src/util/key-name.ts';

test.each(['ledger.example.com/main', 'a', 'ü', 'a\x7f'])('isKeyName() accepts %j', (text) => {
  expect(isKeyName(text)).toBe(true);
});

test.each(['', 'a b', 'a\tb', 'a\u00a0b', 'a+b', 'a\nb', 'a\u0001b', '\ud800'])(
  'isKeyName() rejects %j',
  (text) => {
    expect(isKeyName(text)).toBe(false);
  },
);

test('hasControl() allows a newline, and no other character below U+0020', () => {
  expect(hasControl('a\nb')).toBe(false);
  expect(hasControl('a\tb')).toBe(true);
  expect(hasControl('a\rb')).toBe(true);
});
