import { styleText } from 'node:util';

/** Prints to a terminal, or to a file or pipe without colors and without rewriting lines. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #isRich: boolean;
  #hasStatus = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    // hasColors() respects NO_COLOR and the abilities of the terminal.
    this.#isRich = stream.isTTY && stream.hasColors();
  }

  print(text: string): void {
    this.#stream.write(`${this.#hasStatus ? '\n' : ''}${text}\n`);
    this.#hasStatus = false;
  }

  /** Prints the state; on a terminal, it replaces the previous state. */
  status(text: string): void {
    if (!this.#isRich) {
      this.print(text);
      return;
    }
    this.#stream.write(`\r\u001b[K${text.slice(0, this.#stream.columns - 1)}`);
    this.#hasStatus = true;
  }

  strong(text: string): string {
    return this.#isRich ? styleText('bold', text, { validateStream: false }) : text;
  }
}
