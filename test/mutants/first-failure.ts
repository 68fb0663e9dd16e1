import { setImmediate as turn } from 'node:timers/promises';
import type { CollectedTest } from './collected.ts';

/** A test that failed, and what it threw. */
export interface Failure {
  readonly id: string;
  readonly error: unknown;
}

/** Longest duration of a test that has not run yet. */
const FIRST_LIMIT_MS = 240_000;
/** A test does not end if it takes several times as long as it did before, and a few seconds. */
const [SLOWER, PATIENCE_MS] = [3, 3_000];

/**
 * Runs tests, those first that were shortest when they passed last, up to the first that fails.
 * @param durations milliseconds of each test, by its id. The tests that pass are entered.
 * @param withinMs no test runs that would not have ended by then, if all took as long as before.
 */
export async function firstFailure(
  tests: readonly CollectedTest[],
  durations: Map<string, number>,
  withinMs = Number.POSITIVE_INFINITY,
): Promise<Failure | undefined> {
  const time = ({ id }: CollectedTest) => durations.get(id) ?? 0;
  let left = withinMs;
  for (const test of tests.toSorted((a, b) => time(a) - time(b))) {
    left -= time(test);
    if (left < 0) return undefined;
    const start = performance.now();
    const known = durations.get(test.id);
    const limitMs = known === undefined ? FIRST_LIMIT_MS : known * SLOWER + PATIENCE_MS;
    try {
      await orUnhandled(() => test.run(limitMs));
    } catch (error) {
      return { id: test.id, error };
    }
    durations.set(test.id, performance.now() - start);
  }
  return undefined;
}

/** @throws what the test throws, or an error that nothing handles while it runs. */
async function orUnhandled(run: () => Promise<void>): Promise<void> {
  const { promise: unhandled, reject } = Promise.withResolvers<never>();
  process.on('unhandledRejection', reject).on('uncaughtException', reject);
  try {
    await Promise.race([run(), unhandled]);
    // Node.js reports a rejection that nothing handles at the end of a turn.
    await Promise.race([turn(), unhandled]);
  } finally {
    process.off('unhandledRejection', reject).off('uncaughtException', reject);
  }
}
