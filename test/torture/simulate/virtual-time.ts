import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/** Something that happens at a virtual time. */
interface Happening {
  readonly at: number;
  /** Decides which of two things of one time happens first. */
  readonly rank: number;
  readonly happen: () => void;
  isCancelled: boolean;
}

const realImmediate = setImmediate;
/** Steps in one turn of the event loop. Turns cost time, because each asks the system for events. */
const STEPS = 64;

let current: VirtualTime | undefined;

/** Lets the timers and the monotonic clock of this process ask the current virtual clock. */
function replaceTimers(): void {
  const after = (ms: number, happen: () => void) => (current as VirtualTime).after(ms, happen);
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, ms = 0) => after(ms, callback),
    setImmediate: (callback: () => void) => after(0, callback),
    clearTimeout: (timer: Happening | undefined) => {
      if (timer !== undefined) timer.isCancelled = true;
    },
  });
  Object.assign(timers, {
    setImmediate: (value?: unknown) => new Promise((resolve) => void after(0, () => resolve(value))),
    setTimeout: (ms = 0, value?: unknown, { signal }: { signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const timer = after(ms, () => resolve(value));
        signal?.addEventListener('abort', () => {
          timer.isCancelled = true;
          reject(signal.reason);
        });
      }),
  });
  syncBuiltinESMExports();
  performance.now = () => (current as VirtualTime).now;
}

/**
 * A clock that only moves from one thing that happens to the next, so that hours take milliseconds, and a random number decides
 * what happens first of what could happen at once. It takes the place of the timers and of the monotonic clock of this process,
 * which the ledger uses.
 */
export class VirtualTime {
  readonly #random: () => number;
  #now = 0;
  /** A heap: the next thing is first. */
  readonly #heap: Happening[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Makes the timers of this process use this clock. */
  install(): void {
    if (current === undefined) replaceTimers();
    current = this;
  }

  /** Lets something happen after a time in milliseconds. */
  after(ms: number, happen: () => void): Happening {
    const happening = { at: this.#now + Math.max(0, ms), rank: this.#random(), happen, isCancelled: false };
    this.#push(happening);
    return happening;
  }

  /** Waits. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** Lets things happen until a condition holds. @throws Error at the time limit, or if nothing can happen any more */
  runUntil(holds: () => boolean, limit: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isDone = false;
      const step = () => {
        if (isDone) return;
        try {
          isDone = holds();
          if (isDone) resolve();
          else this.#happenNext(limit);
        } catch (error) {
          isDone = true;
          reject(error);
        }
      };
      // All promises that can settle do so between two steps.
      const turn = () => {
        if (isDone) return;
        for (let i = 0; i < STEPS; i++) realImmediate(step);
        realImmediate(turn);
      };
      realImmediate(turn);
    });
  }

  #happenNext(limit: number): void {
    let next = this.#pop();
    while (next?.isCancelled) next = this.#pop();
    if (next === undefined) throw new Error('nothing can happen any more');
    if (next.at > limit) throw new Error(`it has not happened within ${limit} ms`);
    this.#now = next.at;
    next.happen();
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let i = heap.push(happening) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(happening, heap[parent] as Happening)) break;
      heap[i] = heap[parent] as Happening;
      i = parent;
    }
    heap[i] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening))
        child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[i] = heap[child] as Happening;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.rank < b.rank);
}
