import { oneLine, widthOf } from './text.ts';

/** A column: its title and its cells. Figures are aligned to the right. */
export interface Column<Row> {
  readonly title: string;
  readonly isFigure?: boolean;
  readonly cell: (row: Row) => string | number | null | undefined;
}

const GAP = '  ';

/**
 * Formats rows as lines of text, in aligned columns without borders. If rows arrive in several batches, each column is as
 * wide as the cells so far need.
 */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #widths: number[];

  constructor(columns: readonly Column<Row>[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => widthOf(title));
  }

  /** The line of titles. Read it after the first `lines()`, which sets the widths. */
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
