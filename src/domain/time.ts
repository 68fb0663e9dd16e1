/**
 * Milliseconds since 1970-01-01T00:00:00.000Z (UTC, no leap seconds), an integer. APIs and the log hold instants as RFC
 * 3339 strings. The domain never uses `Date` for them and never reads a clock.
 */
export type Instant = number;

/** Latest instant that the ledger can format: 9999-12-31T23:59:59.999Z. */
export const LAST_INSTANT: Instant = 253_402_300_799_999;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A half-open span of time: it includes `from` and excludes `to`. */
export interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i;

/** Description of the accepted forms of an instant, for error messages. */
export const INSTANT_FORM =
  'an RFC 3339 time from 1970 to 9999 with a zone, such as 2026-01-31T08:00:00.000Z';

/**
 * Parses an RFC 3339 time (section 5.6) with any numeric offset, as the clocks of common languages write it. Finer fractions
 * are cut to the millisecond, and second 60 is the last millisecond of its minute. Days that do not exist are rejected.
 * @returns the instant, or `undefined` if the text is not valid.
 */
export function parseInstant(text: string): Instant | undefined {
  const written = readInstant(text);
  if (written >= 0 && written <= LAST_INSTANT && formatInstant(written) === text) return written;
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const fraction = match[7] ?? '';
  const offset = offsetMs(match[8] as string);
  if (offset === undefined) return undefined;
  const isLeapSecond = second === 60;
  const ms = isLeapSecond ? 999 : Number(fraction.slice(0, 3).padEnd(3, '0'));
  const seconds = hour * 3_600 + minute * 60 + (isLeapSecond ? 59 : second);
  const instant = daysSinceEpoch(year, month, day) * DAY_MS + seconds * SECOND_MS + ms - offset;
  return instant >= 0 && instant <= LAST_INSTANT ? instant : undefined;
}

function offsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

/**
 * Parses the form that the ledger records, `YYYY-MM-DDTHH:MM:SS.mmmZ`, without allocating: a replay does this for every
 * fact. Use it for recorded text, and `parseInstant` for input.
 * @returns the instant, or NaN if the text does not have that form.
 */
export function readInstant(text: string): Instant {
  if (text.length !== 24 || text.charCodeAt(10) !== 84 || text.charCodeAt(23) !== 90) return Number.NaN;
  const days = daysSinceEpoch(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
  const seconds = digits(text, 11, 2) * 3_600 + digits(text, 14, 2) * 60 + digits(text, 17, 2);
  return days * DAY_MS + seconds * SECOND_MS + digits(text, 20, 3);
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Formats an instant as `YYYY-MM-DDTHH:MM:SS.mmmZ`. @throws RangeError if it is not in the years 1970 to 9999. */
export function formatInstant(instant: Instant): string {
  if (!(instant >= 0 && instant <= LAST_INSTANT))
    throw new RangeError(`${instant} is not an instant from 1970 to 9999`);
  const day = Math.floor(instant / DAY_MS);
  const place = day % FORMATTED_DAYS;
  if (day !== formattedDays[place]) {
    formattedDates[place] = new Date(day * DAY_MS).toISOString().slice(0, 11);
    formattedDays[place] = day;
  }
  const rest = Math.floor(instant - day * DAY_MS);
  const seconds = Math.floor(rest / SECOND_MS);
  const minutes = Math.floor(seconds / 60);
  return `${formattedDates[place]}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[rest % SECOND_MS]}Z`;
}

const numbers = (count: number, width: number) =>
  Array.from({ length: count }, (_, n) => String(n).padStart(width, '0'));
const TWO = numbers(60, 2);
const THREE = numbers(1_000, 3);

/** Days that were formatted, and their dates: most instants of an answer are of a few days. */
const FORMATTED_DAYS = 64;
const formattedDays = new Array<number>(FORMATTED_DAYS).fill(Number.NaN);
const formattedDates = new Array<string>(FORMATTED_DAYS).fill('');

/** Returns the days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil`). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysInMonth(year: number, month: number): number {
  const [y, m] = month === 12 ? [year + 1, 1] : [year, month + 1];
  return daysSinceEpoch(y, m, 1) - daysSinceEpoch(year, month, 1);
}

/** A UTC calendar month, `YYYY-MM`. */
export type Period = string;

export const PERIOD = /^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/;

/** Returns the window of a period. @throws RangeError if `period` is not a month `YYYY-MM` from 1970-01 to 9999-11. */
export function periodWindow(period: Period): Window {
  if (!PERIOD.test(period) || period === '9999-12')
    throw new RangeError(`${period} is not a month from 1970-01 to 9999-11`);
  const year = Number(period.slice(0, 4));
  const month = Number(period.slice(5));
  const [nextYear, nextMonth] = month === 12 ? [year + 1, 1] : [year, month + 1];
  return {
    from: daysSinceEpoch(year, month, 1) * DAY_MS,
    to: daysSinceEpoch(nextYear, nextMonth, 1) * DAY_MS,
  };
}

/** Returns the period that contains an instant. */
export function periodOf(instant: Instant): Period {
  return formatInstant(instant).slice(0, 7);
}

/** Returns whether a window is that of a period. */
export function isPeriodWindow({ from, to }: Window): boolean {
  const days = (to - from) / DAY_MS;
  if (days < 28 || days > 31 || to > LAST_INSTANT) return false;
  const period = periodWindow(periodOf(from));
  return from === period.from && to === period.to;
}

/** Returns the UTC days that overlap a window, in order, each clipped to it, with their dates `YYYY-MM-DD`. */
export function daysOf(window: Window): { readonly date: string; readonly window: Window }[] {
  const days = [];
  for (let from = window.from; from < window.to; ) {
    const to = Math.min(window.to, Math.floor(from / DAY_MS) * DAY_MS + DAY_MS);
    days.push({ date: formatInstant(from).slice(0, 10), window: { from, to } });
    from = to;
  }
  return days;
}
