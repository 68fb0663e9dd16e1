/** A cell: numbers as they are, text guarded against being taken for a formula by a spreadsheet. */
export type Cell = string | number | null | { readonly number: string };

/** Rows as RFC 4180 has them: CRLF after each, the header first. */
export function toCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  let csv = csvRow(header);
  for (const row of rows) csv += csvRow(row);
  return csv;
}

/** One row, the header or another. */
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
