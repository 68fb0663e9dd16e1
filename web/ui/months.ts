/** Returns the UTC month of an instant, `YYYY-MM`. */
export function monthOf(at: number | string): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** Returns the month that is some months later; earlier if the number is negative. */
export function monthAfter(month: string, count: number): string {
  const [year = 1970, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + count)).toISOString().slice(0, 7);
}

/** Returns the name of a month, such as "April 2026". */
export function monthName(month: string, language: string): string {
  return new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(`${month}-01T00:00:00Z`),
  );
}

/** Whether a text is a month. */
export function isMonth(text: string | undefined): text is string {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text ?? '');
}
