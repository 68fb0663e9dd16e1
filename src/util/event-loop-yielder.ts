import { setImmediate } from 'node:timers/promises';

/** Maximum time that long work holds the event loop before it yields. */
const SLICE_MS = 2;

/** Measures how long work has held the event loop, and yields to other work. */
export class EventLoopYielder {
  #since = performance.now();

  /** Whether the work has held the event loop long enough to yield. */
  get isDue(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  async yield(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}

/**
 * Iterates over long work and yields to the event loop between items.
 * @param work yields `undefined` where it has no item but may be paused.
 */
export async function* yieldingToEventLoop<T>(work: Iterable<T | undefined>): AsyncGenerator<T> {
  const yielder = new EventLoopYielder();
  for (const item of work) {
    if (item !== undefined) yield item;
    if (yielder.isDue) await yielder.yield();
  }
}
