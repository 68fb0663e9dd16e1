import progress, { type SingleBar } from 'cli-progress';

/** Time before the bar appears. */
const SHOW_AFTER_MS = 1_000;

/** A progress bar on stderr, if stderr is a terminal. */
export class Progress {
  readonly #activity: string;
  readonly #unit: string;
  readonly #startedAt = performance.now();
  #bar: SingleBar | undefined;

  constructor(activity: string, unit: string) {
    this.#activity = activity;
    this.#unit = unit;
  }

  at(done: number, total: number): void {
    if (this.#bar === undefined) {
      if (!process.stderr.isTTY || performance.now() - this.#startedAt < SHOW_AFTER_MS) return;
      this.#bar = new progress.SingleBar({
        stream: process.stderr,
        format: `${this.#activity} {bar} {value} of {total} ${this.#unit}`,
        barsize: 30,
        // A hidden cursor would stay hidden if the program is killed.
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
