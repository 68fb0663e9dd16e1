import { setTimeout as wait } from 'node:timers/promises';

/** Time before the second look, in milliseconds. Each later wait is a quarter longer, up to the longest: a look may cost a request. */
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 50;

/** Returns a function that waits, longer each time. */
function growingWait(): () => Promise<void> {
  let ms = FIRST_WAIT_MS;
  return async () => {
    await wait(ms);
    ms = Math.min(ms * 1.25, LONGEST_WAIT_MS);
  };
}

/** Below the limit of a test (vitest.config.ts), so that a test reports the last error of its attempts. */
const EVENTUALLY_MS = 240_000;

/** Waits until a condition holds. Has no time limit of its own: a condition that never holds fails the test at its limit. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const pause = growingWait();
  while (!(await holds())) await pause();
}

/** Repeats a callback until it no longer throws, and returns its result. @throws the last error of the callback. */
export async function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + EVENTUALLY_MS;
  const pause = growingWait();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause();
    }
  }
}

/** How long a page may be between two states, on a machine that is slow. */
const BETWEEN_MS = 20_000;

/**
 * Returns what a check finds wrong. A page may be between two states at the moment of a check, so what is found must be found
 * again: it returns an empty list as soon as a check finds nothing, and otherwise what the last check finds.
 */
export async function foundAgain(check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const deadline = performance.now() + BETWEEN_MS;
  const pause = growingWait();
  for (;;) {
    const found = await check();
    if (found.length === 0 || performance.now() > deadline) return found;
    await pause();
  }
}
