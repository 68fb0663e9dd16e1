import { setImmediate } from 'node:timers/promises';

/** Maximum time that long work holds the event loop before it yields. */
const SLICE_MS = 2;

/** Measures how long work has held the event loop, and yields to other work. */
export class EventLoopYielder {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  /** @param signal ends the work: `yield` then throws its reason. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether the work has held the event loop long enough to yield. */
  get isDue(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  /** Lets other work run. @throws the reason of the signal if it was aborted. */
  async yield(): Promise<void> {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#since = performance.now();
  }
}

/**
 * Iterates over long work and yields to the event loop between items.
 * @param work yields `undefined` where it has no item but may be paused.
 * @param signal ends the work: the next pause then throws its reason.
 */
export async function* yieldingToEventLoop<T>(
  work: Iterable<T | undefined>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const yielder = new EventLoopYielder(signal);
  for (const item of work) {
    if (item !== undefined) yield item;
    if (yielder.isDue) await yielder.yield();
  }
}

/**
 * Runs work that has a result, and yields to the event loop in between.
 * @param work yields `undefined` if it may be paused. @param signal as for `yieldingToEventLoop`.
 */
export async function runYielding<T>(work: Generator<undefined, T>, signal?: AbortSignal): Promise<T> {
  const yielder = new EventLoopYielder(signal);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (yielder.isDue) await yielder.yield();
  }
}

/** Runs work that has a result to its end at once. */
export function runAtOnce<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
