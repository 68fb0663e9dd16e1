import type { RecordStep } from '../../domain/kubefirst/record-step.ts';

/** Steps that arrived and were not consumed yet. */
export class StepQueue {
  readonly #steps: (RecordStep | undefined)[] = [];
  readonly #signal: AbortSignal;
  #wake: () => void = () => undefined;

  /** @param signal ends the queue. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Adds the next step; `undefined` ends the queue. */
  add(step: RecordStep | undefined): void {
    // A complete list replaces the changes before it.
    if (step?.kind === 'listed') this.#steps.length = 0;
    this.#steps.push(step);
    this.#wake();
  }

  /** Yields the steps in order until the queue ends. */
  async *all(): AsyncGenerator<RecordStep, void, void> {
    const wake = () => this.#wake();
    this.#signal.addEventListener('abort', wake);
    try {
      while (!this.#signal.aborted) {
        if (this.#steps.length === 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        const step = this.#steps.shift();
        if (step === undefined) return;
        yield step;
      }
    } finally {
      this.#signal.removeEventListener('abort', wake);
    }
  }
}
