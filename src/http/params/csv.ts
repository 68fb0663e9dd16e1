/** A cell. Text is escaped so that a spreadsheet does not take it for a formula; numbers are not. */
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

function cell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object') return value.number;
  const guarded = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
