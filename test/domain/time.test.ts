import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DAY_MS,
  daysOf,
  formatInstant,
  HOUR_MS,
  INSTANT_FORM,
  isPeriodWindow,
  LAST_INSTANT,
  MINUTE_MS,
  parseInstant,
  periodOf,
  periodWindow,
  readInstant,
  SECOND_MS,
} from '../../src/domain/time.ts';
import { at } from './facts/facts.ts';

describe('a posted time', () => {
  test.each([
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['2026-01-31T08:00:00+02:00', '2026-01-31T06:00:00.000Z'],
    ['2026-01-31T23:30:00-01:00', '2026-02-01T00:30:00.000Z'],
    ['2026-01-31T08:00:00-00:00', '2026-01-31T08:00:00.000Z'],
    ['2026-01-31T08:00:00+23:59', '2026-01-30T08:01:00.000Z'],
    ['2026-01-31T08:00:00.5Z', '2026-01-31T08:00:00.500Z'],
    ['2026-01-31T08:00:00.05Z', '2026-01-31T08:00:00.050Z'],
    ['2026-01-31T08:00:00.123000000Z', '2026-01-31T08:00:00.123Z'],
    ['2026-01-31T08:00:00.0009Z', '2026-01-31T08:00:00.000Z'],
    ['2026-01-31T08:00:00.123456789Z', '2026-01-31T08:00:00.123Z'],
    ['2026-01-31t08:00:00z', '2026-01-31T08:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
    ['2016-12-31T18:59:60.5-05:00', '2016-12-31T23:59:59.999Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['1970-01-01T01:00:00+01:00', '1970-01-01T00:00:00.000Z'],
  ])('is parsed: %s is %s', (text, instant) => {
    expect(formatInstant(parseInstant(text) as number)).toBe(instant);
  });

  test.each([
    ['a day that February does not have', '2026-02-30T00:00:00Z'],
    ['February 29 of a common year', '2026-02-29T00:00:00Z'],
    ['February 29 of a common century year', '2100-02-29T00:00:00Z'],
    ['day 31 of a month of 30', '2026-04-31T00:00:00Z'],
    ['day 0', '2026-04-00T00:00:00Z'],
    ['month 0', '2026-00-10T00:00:00Z'],
    ['month 13', '2026-13-01T00:00:00Z'],
    ['hour 24', '2026-01-01T24:00:00Z'],
    ['minute 60', '2026-01-01T00:60:00Z'],
    ['no zone', '2026-01-01T00:00:00'],
    ['no time', '2026-01-01'],
    ['a zone without minutes', '2026-01-01T00:00:00+02'],
    ['a zone without a colon', '2026-01-01T00:00:00+0200'],
    ['a zone of 24 hours', '2026-01-01T00:00:00+24:00'],
    ['a zone of 60 minutes', '2026-01-01T00:00:00+01:60'],
    ['second 61', '2016-12-31T23:59:61Z'],
    ['a point without digits', '2026-01-01T00:00:00.Z'],
    ['a comma', '2026-01-01T00:00:00,5Z'],
    ['a blank for the T', '2026-01-01 00:00:00Z'],
    ['blanks around', ' 2026-01-01T00:00:00Z'],
    ['a line end', '2026-01-01T00:00:00Z\n'],
    ['a year of 5 digits', '12026-01-01T00:00:00Z'],
    ['a signed year', '+002026-01-01T00:00:00Z'],
    ['digits that are not ASCII', '２０２６-01-01T00:00:00Z'],
    ['before 1970', '1969-12-31T23:59:59.999Z'],
    ['before 1970 by its zone', '1970-01-01T00:00:00+00:01'],
    ['after 9999 by its zone', '9999-12-31T23:59:59-00:01'],
    ['milliseconds since 1970', '1767225600000'],
    ['nothing', ''],
  ])('is rejected with %s', (_, text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test('has the same instant in every zone', () => {
    const minutes = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(
        fc.integer({ min: 2 * DAY_MS, max: LAST_INSTANT - 2 * DAY_MS }),
        minutes,
        (instant, offset) => {
          const local = new Date(instant + offset * 60_000).toISOString().slice(0, -1);
          const pad = (n: number) => String(Math.trunc(Math.abs(n))).padStart(2, '0');
          const zone = `${offset < 0 ? '-' : '+'}${pad(offset / 60)}:${pad(offset % 60)}`;
          expect(parseInstant(local + zone)).toBe(instant);
        },
      ),
    );
  });
});

describe('a posted time that looks as the ledger writes it', () => {
  const part = (most: number, width: number) =>
    fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(width, '0'));

  test('is judged as the same time with another zone', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          part(2_100, 4),
          part(14, 2),
          part(33, 2),
          part(25, 2),
          part(61, 2),
          part(61, 2),
          part(999, 3),
        ),
        ([year, month, day, hour, minute, second, ms]) => {
          const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}`;
          expect(parseInstant(`${local}Z`)).toBe(parseInstant(`${local}+00:00`));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('an instant', () => {
  const instants = fc.integer({ min: 0, max: LAST_INSTANT });

  test('is parsed as it was formatted', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(parseInstant(formatInstant(instant))).toBe(instant);
        expect(readInstant(formatInstant(instant))).toBe(instant);
        expect(formatInstant(instant)).toBe(new Date(instant).toISOString());
      }),
    );
  });

  test.each([-1, LAST_INSTANT + 1, Number.NaN, Number.POSITIVE_INFINITY])(
    'cannot be formatted if it is %s',
    (instant) => {
      expect(() => formatInstant(instant)).toThrow(RangeError);
    },
  );

  test.each([
    '2026-01-31T08:00:00Z',
    '2026-01-31T08:00:00.000+00:00',
    '2026-01-31 08:00:00.000Z',
    '2026-0a-31T08:00:00.000Z',
    '',
  ])('is not readable if it is recorded as %j', (text) => {
    expect(readInstant(text)).toBeNaN();
  });
});

describe('a period', () => {
  test.each([
    ['2026-01', '2026-01-01', '2026-02-01'],
    ['2026-12', '2026-12-01', '2027-01-01'],
    ['2028-02', '2028-02-01', '2028-03-01'],
    ['1970-01', '1970-01-01', '1970-02-01'],
    ['9999-11', '9999-11-01', '9999-12-01'],
  ])('is half-open: %s is from %s to before %s', (period, from, to) => {
    expect(periodWindow(period)).toEqual({ from: at(from), to: at(to) });
  });

  test.each(['2026-00', '2026-13', '2026-1', '1969-12', '9999-12', '2026-01-01', '', '２０２６-01'])(
    'cannot be %j',
    (period) => {
      expect(() => periodWindow(period)).toThrow(RangeError);
    },
  );

  test('begins at the end of the previous one, and contains the instants whose text starts with it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: at('9999-12-01') - 1 }), (instant) => {
        const period = periodOf(instant);
        const { from, to } = periodWindow(period);
        expect(from <= instant && instant < to).toBe(true);
        expect([periodOf(from), periodOf(to - 1)]).toEqual([period, period]);
        expect(periodOf(to)).not.toBe(period);
      }),
    );
  });
});

describe('the days of a window', () => {
  test('are whole inside and clipped at both ends', () => {
    const window = { from: at('2026-02-27T18:00:00Z'), to: at('2026-03-01T00:00:00.001Z') };
    expect(daysOf(window)).toEqual([
      { date: '2026-02-27', window: { from: window.from, to: at('2026-02-28') } },
      { date: '2026-02-28', window: { from: at('2026-02-28'), to: at('2026-03-01') } },
      { date: '2026-03-01', window: { from: at('2026-03-01'), to: window.to } },
    ]);
  });

  test('are none if it is empty', () => {
    expect(daysOf({ from: 5, to: 5 })).toEqual([]);
  });

  test('are 29 in a leap February', () => {
    expect(daysOf(periodWindow('2028-02'))).toHaveLength(29);
  });
});

test.each([
  [true, '2026-01-01', '2026-02-01'],
  [true, '2026-02-01', '2026-03-01'],
  [true, '2028-02-01', '2028-03-01'],
  [true, '2026-12-01', '2027-01-01'],
  [true, '9999-11-01', '9999-12-01'],
  [false, '2026-01-02', '2026-02-02'],
  [false, '2026-01-01', '2026-01-31'],
  [false, '2026-02-01', '2026-03-02'],
  [false, '2026-01-01', '2026-03-01'],
  [false, '2026-01-01', '2026-01-01'],
  [false, '2026-01-01', '2026-01-01T12:00:00Z'],
  [false, '2026-01-04', '2026-02-01'],
])('a window is (%s) that of a period: from %s to %s', (expected, from, to) => {
  expect(isPeriodWindow({ from: at(from), to: at(to) })).toBe(expected);
});

test('a window is not that of a period beyond the last instant', () => {
  expect(isPeriodWindow({ from: at('9999-12-01'), to: LAST_INSTANT + 1 })).toBe(false);
});

test('seconds, minutes, hours and days are in milliseconds', () => {
  expect([SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS]).toEqual([1_000, 60_000, 3_600_000, 86_400_000]);
});

test('a message about a time says which forms are accepted', () => {
  expect(INSTANT_FORM).toBe(
    'an RFC 3339 time from 1970 to 9999 with a zone, such as 2026-01-31T08:00:00.000Z',
  );
});
