import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 5;

/** Waits until a condition holds. Has no time limit of its own: a condition that never holds fails the test at its limit. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(POLL_MS);
}
