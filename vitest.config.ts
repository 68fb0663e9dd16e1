import { defineConfig } from 'vitest/config';
import { ClosingReporter } from './test/support/closing-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    reporters: ['default', new ClosingReporter()],
    testTimeout: 30_000,
    hookTimeout: 90_000,
    // Much of the time is spent waiting: for kills, for servers to start, for deadlines to pass.
    maxWorkers: 3,
  },
});
