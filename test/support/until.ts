import { setImmediate as turn } from 'node:timers/promises';

/** Waits until a condition holds; the time limit is the test's. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await turn();
}
