import { oneLine, widthOf } from './text.ts';

/** A column: its title and its cells. Figures are aligned to the right. */
export interface Column<Row> {
  readonly title: string;
  readonly isFigure?: boolean;
  /** Shown only by `-o wide` and `-o csv`: what does not fit into 80 columns. */
  readonly isWide?: boolean;
  /** Printed by `-o name`, instead of the first column. */
  readonly isName?: boolean;
  readonly cell: (row: Row) => string | number | null | undefined;
}

const GAP = '  ';

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z$/;

/**
 * Formats rows as lines of text, in aligned columns without borders. If rows arrive in several batches, each column is as
 * wide as the cells so far need.
 */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #widths: number[];
  readonly #hasMilliseconds: boolean;

  /** @param options whether instants are shown to the millisecond instead of to the second. */
  constructor(columns: readonly Column<Row>[], { hasMilliseconds = false } = {}) {
    this.#columns = columns;
    this.#hasMilliseconds = hasMilliseconds;
    this.#widths = columns.map(({ title }) => widthOf(title));
  }

  /** The line of titles. Read it after the first `lines()`, which sets the widths. */
  get head(): string {
    return this.#line(this.#columns.map(({ title }) => title));
  }

  lines(rows: readonly Row[]): string[] {
    const cells = rows.map((row) => this.#columns.map(({ cell }) => this.#text(cell(row))));
    for (const row of cells) {
      for (const [i, text] of row.entries())
        this.#widths[i] = Math.max(this.#widths[i] as number, widthOf(text));
    }
    return cells.map((row) => this.#line(row));
  }

  #text(cell: string | number | null | undefined): string {
    const text = oneLine(String(cell ?? '-'));
    return this.#hasMilliseconds ? text : text.replace(INSTANT, '$1Z');
  }

  #line(texts: readonly string[]): string {
    const padded = texts.map((text, i) => {
      const pad = ' '.repeat((this.#widths[i] as number) - widthOf(text));
      return this.#columns[i]?.isFigure === true ? pad + text : text + pad;
    });
    return padded.join(GAP).trimEnd();
  }
}
