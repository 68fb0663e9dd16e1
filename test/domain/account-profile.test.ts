import { describe, expect, test } from 'vitest';
import { readableProfile, useOfLimits } from '../../src/domain/account-profile.ts';

const entries = (count: number, value: unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));

describe('a recorded profile', () => {
  test.each<[data: object]>([
    [{}],
    [{ name: 'Acme', externalIds: { stripe: 'cus_1' }, limits: { '*': 0, a: 1_000_000 } }],
    [{ externalIds: entries(32, 'x'), limits: entries(32, 1) }],
  ])('is read: %j', (data) => {
    expect(readableProfile('AccountDescribed', data)).toEqual(data);
  });

  test.each<[data: unknown]>([
    [null],
    [{ note: 1 }],
    [{ name: 'a\nb' }],
    [{ externalIds: entries(33, 'x') }],
    [{ limits: entries(33, 1) }],
    [{ limits: { a: -1 } }],
    [{ limits: { a: 1.5 } }],
    [{ limits: { a: 1_000_001 } }],
  ])('is not read in another form: %j', (data) => {
    expect(readableProfile('AccountDescribed', data)).toBeUndefined();
  });

  test('is not read from an event of another type', () => {
    expect(readableProfile('AccountForgotten', {})).toBeUndefined();
  });
});

describe('the use of limits', () => {
  test('is that of each type, and of all together for *, in order', () => {
    const billed = new Map([
      ['b', 3],
      ['a', 1],
      [null, 2],
    ]);
    expect(useOfLimits({ c: 5, b: 3, a: 0, '*': 10 }, billed)).toEqual([
      { clusterType: '*', limit: 10, billed: 6, left: 4 },
      { clusterType: 'a', limit: 0, billed: 1, left: 0 },
      { clusterType: 'b', limit: 3, billed: 3, left: 0 },
      { clusterType: 'c', limit: 5, billed: 0, left: 5 },
    ]);
  });

  test('is nothing if nothing is billed, and is not there without limits', () => {
    expect(useOfLimits({ '*': 1 }, new Map())).toEqual([{ clusterType: '*', limit: 1, billed: 0, left: 1 }]);
    expect(useOfLimits({}, new Map([['a', 1]]))).toEqual([]);
  });
});
