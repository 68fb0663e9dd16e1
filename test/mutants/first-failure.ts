import { setImmediate as turn } from 'node:timers/promises';
import type { CollectedTest } from './collected.ts';

/**
 * Runs tests, those first that were shortest when they ran last, up to the first that fails.
 * @param durations milliseconds of each test, by its id. The tests that run are entered.
 */
export async function firstFailure(
  tests: readonly CollectedTest[],
  durations: Map<string, number>,
): Promise<{ readonly id: string; readonly error: unknown } | undefined> {
  const time = ({ id }: CollectedTest) => durations.get(id) ?? 0;
  for (const test of tests.toSorted((a, b) => time(a) - time(b))) {
    const start = performance.now();
    try {
      await orUnhandled(test.run);
    } catch (error) {
      return { id: test.id, error };
    } finally {
      durations.set(test.id, performance.now() - start);
    }
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
