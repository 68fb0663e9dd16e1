const MONTH = /^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/;

/** Returns whether a text names a month that can be billed. */
export function isMonth(text: unknown): text is string {
  return typeof text === 'string' && MONTH.test(text) && text !== '9999-12';
}

/** Returns a UTC month, half-open, in ms since the epoch. @param period `YYYY-MM`. */
export function monthOf(period: string): [from: number, to: number] {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return [Date.UTC(year, month - 1), Date.UTC(year, month)];
}

/** Returns the month after another. */
export function monthAfter(period: string): string {
  return new Date(monthOf(period)[1]).toISOString().slice(0, 7);
}

/** Returns every month from the one of an instant up to another month, without that. */
export function monthsBetween(instant: number, end: string): string[] {
  const months: string[] = [];
  // Nothing is billed before 1970: instants of the ledger begin there.
  let month = new Date(Math.max(0, instant)).toISOString().slice(0, 7);
  for (; month < end; month = monthAfter(month)) months.push(month);
  return months;
}
