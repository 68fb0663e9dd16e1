import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { styleText } from 'node:util';
import { csvRow } from '../../util/csv.ts';
import type { Format } from './formats.ts';
import { type Column, Table } from './table.ts';
import { oneLine, safeLines } from './text.ts';

/** A label and its value. */
export type Detail = readonly [name: string, value: string | number | null | undefined];

/** Number of table lines per write. */
const LINES_PER_WRITE = 500;

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Writes data to stdout. Messages go to stderr. Colors are used on terminals only. */
export class Output {
  /** The chosen form; a table for people if there is none. */
  format: Format | undefined;

  /** Writes text, and waits until a slow reader has caught up. */
  async write(text: string | Uint8Array): Promise<void> {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  }

  async line(text = ''): Promise<void> {
    await this.write(`${text}\n`);
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: process.stdout });
  }

  async table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<void> {
    await this.tables(columns)(rows);
  }

  /** Returns a function that appends rows to one table. */
  tables<Row>(columns: readonly Column<Row>[]): (rows: readonly Row[]) => Promise<void> {
    if (this.format === 'csv') return this.#csv(columns);
    if (this.format === 'name') return this.#names(columns);
    const isWide = this.format === 'wide';
    const table = new Table(
      columns.filter((column) => isWide || column.isWide !== true),
      { hasMilliseconds: isWide },
    );
    let hasHead = false;
    return async (rows) => {
      const lines = table.lines(rows);
      if (!hasHead) await this.line(this.style('bold', table.head));
      hasHead = true;
      for (let i = 0; i < lines.length; i += LINES_PER_WRITE)
        await this.line(lines.slice(i, i + LINES_PER_WRITE).join('\n'));
    };
  }

  /** CSV has every column, so that a script gets the same columns always. */
  #csv<Row>(columns: readonly Column<Row>[]): (rows: readonly Row[]) => Promise<void> {
    let hasHead = false;
    return async (rows) => {
      const head = hasHead ? '' : csvRow(columns.map(({ title }) => title));
      hasHead = true;
      const cells = rows.map((row) =>
        columns.map(({ cell, isFigure = false }) => {
          const value = cell(row) ?? null;
          return isFigure && typeof value === 'string' ? { number: value } : value;
        }),
      );
      await this.write(head + cells.map(csvRow).join(''));
    };
  }

  #names<Row>(columns: readonly Column<Row>[]): (rows: readonly Row[]) => Promise<void> {
    const column = columns.find(({ isName = false }) => isName) ?? columns[0];
    return (rows) => this.write(rows.map((row) => `${oneLine(String(column?.cell(row) ?? '-'))}\n`).join(''));
  }

  /** Prints items of a list as they arrive: one JSON document per line, or items of a YAML list. */
  readonly documents = async (items: readonly unknown[]): Promise<void> => {
    if (items.length === 0) return;
    if (this.format === 'yaml') return this.#yaml(items);
    await this.write(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  };

  /** Prints labels and values, one pair per line. */
  async details(pairs: readonly Detail[]): Promise<void> {
    const table = new Table<Detail>(
      [
        { title: '', cell: ([name]) => name },
        { title: '', cell: ([, value]) => value },
      ],
      { hasMilliseconds: true },
    );
    for (const line of table.lines(pairs)) await this.line(line);
  }

  /** Prints a JSON document, indented, or as YAML. */
  async json(document: unknown): Promise<void> {
    if (this.format === 'yaml') return this.#yaml(document);
    await this.line(JSON.stringify(document, null, 2));
  }

  /** Copies JSON or CSV to stdout as it arrives, and ends it with a newline. As YAML it is printed when all has arrived. */
  async stream(bytes: Readable): Promise<void> {
    if (this.format === 'yaml') return this.#yamlOfJson(await text(bytes));
    let last: number | undefined;
    bytes.on('data', (chunk: Uint8Array) => {
      last = chunk.at(-1) ?? last;
    });
    await pipeline(bytes, process.stdout, { end: false });
    if (last !== undefined && last !== 10) await this.line();
  }

  async #yaml(document: unknown): Promise<void> {
    const { stringify } = await import('yaml');
    await this.write(stringify(document));
  }

  /** Prints JSON, or JSON lines, as YAML. */
  async #yamlOfJson(json: string): Promise<void> {
    const lines = json.split('\n').filter((line) => line !== '');
    const isOne = lines.length === 1 || !lines[0]?.endsWith('}');
    await this.#yaml(isOne ? JSON.parse(json) : lines.map((line) => JSON.parse(line) as unknown));
  }
}

/** Prints a message to stderr. */
export function printMessage(message: string): void {
  process.stderr.write(`${safeLines(message)}\n`);
}

export function printError(message: string): void {
  const error = styleText('red', 'error:', { stream: process.stderr });
  process.stderr.write(`${error} ${safeLines(message)}\n`);
}

export function printWarning(message: string): void {
  const warning = styleText('yellow', 'warning:', { stream: process.stderr });
  process.stderr.write(`${warning} ${safeLines(message)}\n`);
}

/** Returns whether a user can answer questions: stdin and stderr are terminals. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a question on the terminal. Returns true only for `y` or `yes`. */
export async function askYesNo(question: string): Promise<boolean> {
  return /^\s*y(es)?\s*$/i.test(await askText(`${question} [y/N]`));
}

/** Asks for a text on the terminal. Returns an empty text if the input ends. */
export async function askText(question: string): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const closed = once(prompt, 'close').then(() => '');
  try {
    return await Promise.race([prompt.question(`${safeLines(question)} `), closed]);
  } finally {
    prompt.close();
  }
}
