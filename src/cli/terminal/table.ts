import { oneLine, widthOf } from './text.ts';

/** A column: what stands above it, and what stands in it. Figures are at the right of their column. */
export interface Column<Row> {
  readonly title: string;
  readonly isFigure?: boolean;
  readonly cell: (row: Row) => string | number | null | undefined;
}

const GAP = '  ';

/**
 * Rows as lines of text, columns beside each other, without borders. Rows may come some at a time: the columns are as wide
 * as what has come so far needs.
 */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #widths: number[];

  constructor(columns: readonly Column<Row>[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => widthOf(title));
  }

  /** The line above the rows: ask for it after the first rows. */
  get head(): string {
    return this.#line(this.#columns.map(({ title }) => title));
  }

  lines(rows: readonly Row[]): string[] {
    const cells = rows.map((row) => this.#columns.map(({ cell }) => oneLine(String(cell(row) ?? '-'))));
    for (const row of cells) {
      for (const [i, text] of row.entries())
        this.#widths[i] = Math.max(this.#widths[i] as number, widthOf(text));
    }
    return cells.map((row) => this.#line(row));
  }

  #line(texts: readonly string[]): string {
    const padded = texts.map((text, i) => {
      const pad = ' '.repeat((this.#widths[i] as number) - widthOf(text));
      return this.#columns[i]?.isFigure === true ? pad + text : text + pad;
    });
    return padded.join(GAP).trimEnd();
  }
}
