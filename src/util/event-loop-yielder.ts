import { setImmediate as turn } from 'node:timers/promises';

/** The longest that others wait while something long is worked out. */
const SLICE_MS = 2;

/** Lets others have their turn, whenever so much time has passed since they last had one. */
export class EventLoopYielder {
  #since = performance.now();

  /** Whether it is time for a pause. */
  get isDue(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  async yield(): Promise<void> {
    await turn();
    this.#since = performance.now();
  }
}

/** Does work a slice at a time. @param work gives `undefined` wherever it has nothing to give and may pause. */
export async function* yieldingToEventLoop<T>(work: Iterable<T | undefined>): AsyncGenerator<T> {
  const slices = new EventLoopYielder();
  for (const item of work) {
    if (item !== undefined) yield item;
    if (slices.isDue) await slices.yield();
  }
}
