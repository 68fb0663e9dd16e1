import progress, { type SingleBar } from 'cli-progress';

/** What takes less long shows no progress. */
const SHOW_AFTER_MS = 1_000;

/** How far something has come, on the standard error where that is a terminal. */
export class Progress {
  readonly #what: string;
  readonly #unit: string;
  readonly #startedAt = performance.now();
  #bar: SingleBar | undefined;

  constructor(what: string, unit: string) {
    this.#what = what;
    this.#unit = unit;
  }

  at(done: number, total: number): void {
    if (this.#bar === undefined) {
      if (!process.stderr.isTTY || performance.now() - this.#startedAt < SHOW_AFTER_MS) return;
      this.#bar = new progress.SingleBar({
        stream: process.stderr,
        format: `${this.#what} {bar} {value} of {total} ${this.#unit}`,
        barsize: 30,
        // The terminal is left as it is, also where the program is ended meanwhile.
        hideCursor: false,
        linewrap: true,
        clearOnComplete: true,
        formatBar: progress.Format.BarFormat,
      });
      this.#bar.start(total, done);
    }
    this.#bar.setTotal(total);
    this.#bar.update(done);
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
