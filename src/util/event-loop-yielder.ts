import { setImmediate as turn } from 'node:timers/promises';

/** The longest that others wait while something long is worked out. */
const SLICE_MS = 2;

/** Lets others have their turn, whenever so much time has passed since they last had one. */
export class Slices {
  #since = performance.now();

  /** Whether it is time for a pause. */
  get isOver(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  async pause(): Promise<void> {
    await turn();
    this.#since = performance.now();
  }
}

/** Does work a slice at a time. @param work gives `undefined` wherever it has nothing to give and may pause. */
export async function* inSlices<T>(work: Iterable<T | undefined>): AsyncGenerator<T> {
  const slices = new Slices();
  for (const item of work) {
    if (item !== undefined) yield item;
    if (slices.isOver) await slices.pause();
  }
}
