/** A cell. Text is escaped so that no spreadsheet takes it for a formula; numbers are not. */
export type Cell = string | number | null | { readonly number: string };

/** Writes CSV (RFC 4180): the header first, CRLF after each row. */
export function toCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  let csv = csvRow(header);
  for (const row of rows) csv += csvRow(row);
  return csv;
}

/** Writes one row. */
export function csvRow(cells: readonly Cell[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/** The names of the two columns of an amount of seconds. */
export const SECONDS_COLUMNS = ['clusterSeconds', 'clusterMilliseconds'] as const;

/**
 * Returns an amount of seconds as two cells: the seconds, without a fraction if they are whole, and the milliseconds, an
 * integer. A spreadsheet with a decimal comma reads `864000.000` as 864 million, and reads integers rightly.
 * @param seconds with exactly 3 decimal places.
 */
export function secondsCells(seconds: string): [seconds: Cell, milliseconds: Cell] {
  const milliseconds = String(BigInt(seconds.replace('.', '')));
  return [{ number: seconds.replace(/\.000$/, '') }, { number: milliseconds }];
}

/**
 * Places in a text where a spreadsheet may see the start of a formula: at the start of the text, or behind what it may take for
 * the end of a cell. White space and invisible characters before the sign do not help, and neither do quotes. Signs of full width count too.
 */
const FORMULA_STARTS =
  /(?<=^|[,;|\t\r\n])(?=["\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])/gu;

function cell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object') return value.number;
  const guarded = value.replace(FORMULA_STARTS, "'");
  return /[",;|\r\n\t]|^\s|\s$/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
