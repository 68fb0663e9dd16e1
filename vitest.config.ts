import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ClosingReporter } from './test/support/closing-reporter.ts';
import { TestOrder } from './test/support/test-order.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    reporters: ['default', new ClosingReporter()],
    sequence: { sequencer: TestOrder },
    // Only a test that hangs reaches these limits: tests wait for conditions, and a machine may be slow.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A test of several processes may fail once on a busy machine. It is run again, and the last lines name it. A test of random
    // values is not run again: it would have others.
    retry: { count: 1, condition: /^(?!Property failed|seed \d|cut at \d|bit \d)/ },
    // Half of the time of a test is waiting, for a process, a timer or a page.
    maxWorkers: 2 * availableParallelism(),
  },
});
