import { describe, expect, test } from 'vitest';
import { isMonth, monthAfter, monthOf, monthsBetween } from '../../../src/audit/verify/months.ts';

describe('a month that can be billed', () => {
  test.each(['1970-01', '1979-12', '1980-10', '1999-09', '2000-01', '2026-11', '9999-11'])(
    'is named by %s',
    (text) => {
      expect(isMonth(text)).toBe(true);
    },
  );

  test.each<unknown>([
    '1969-12',
    '1899-12',
    '9999-12',
    '2026-00',
    '2026-13',
    '2026-20',
    '2026-1',
    '02026-01',
    '12026-01',
    '2026-011',
    '2026-01 ',
    ' 2026-01',
    '2026/01',
    '',
    undefined,
    null,
    ['2026-01'],
  ])('is not named by %o', (text) => {
    expect(isMonth(text)).toBe(false);
  });

  test('begins with its first instant in UTC and ends with that of the next', () => {
    expect(monthOf('2026-02')).toEqual([Date.parse('2026-02-01'), Date.parse('2026-03-01')]);
    expect(monthOf('2026-12')).toEqual([Date.parse('2026-12-01'), Date.parse('2027-01-01')]);
  });

  test.each([
    ['2026-01', '2026-02'],
    ['2026-12', '2027-01'],
    ['1970-01', '1970-02'],
    ['9999-11', '9999-12'],
  ])('%s is followed by %s', (month, next) => {
    expect(monthAfter(month)).toBe(next);
  });
});

describe('the months from the one of an instant up to another', () => {
  test.each<[instant: string, end: string, months: string[]]>([
    ['2025-11-30T23:59:59.999Z', '2026-02', ['2025-11', '2025-12', '2026-01']],
    ['2025-12-01T00:00:00.000Z', '2026-02', ['2025-12', '2026-01']],
    ['2026-02-01T00:00:00.000Z', '2026-02', []],
    ['2026-03-01T00:00:00.000Z', '2026-02', []],
  ])('are, from %s up to %s: %o', (instant, end, months) => {
    expect(monthsBetween(Date.parse(instant), end)).toEqual(months);
  });

  test('begin with January 1970 for any earlier instant', () => {
    expect(monthsBetween(Date.parse('1969-06-01'), '1970-03')).toEqual(['1970-01', '1970-02']);
    expect(monthsBetween(Number.NEGATIVE_INFINITY, '1970-02')).toEqual(['1970-01']);
  });
});
