import { styleText } from 'node:util';

/** Where the demo speaks: a terminal, or a file or pipe, which gets neither colours nor a line that is rewritten. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #isRich: boolean;
  #hasStatus = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    // hasColors() knows NO_COLOR and terminals that can do nothing.
    this.#isRich = stream.isTTY && stream.hasColors();
  }

  print(text: string): void {
    this.#stream.write(`${this.#hasStatus ? '\n' : ''}${text}\n`);
    this.#hasStatus = false;
  }

  /** Says how things are: in the same place each time, where that can be done. */
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
