import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 5;
/** Below the limit of a test (vitest.config.ts), so that a test reports the last error of its attempts. */
const EVENTUALLY_MS = 240_000;

/** Waits until a condition holds. Has no time limit of its own: a condition that never holds fails the test at its limit. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(POLL_MS);
}

/** Repeats a callback until it no longer throws, and returns its result. @throws the last error of the callback. */
export async function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + EVENTUALLY_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(POLL_MS);
    }
  }
}

const LOOKS = 5;

/**
 * Returns what a check finds wrong. A page may be between two states at the moment of a check, so what is found must be found
 * again: it returns an empty list as soon as a check finds nothing, and otherwise what the fifth check finds.
 */
export async function foundAgain(check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let found: readonly string[] = [];
  for (let look = 0; look < LOOKS; look++) {
    found = await check();
    if (found.length === 0) break;
    await wait(POLL_MS);
  }
  return found;
}
