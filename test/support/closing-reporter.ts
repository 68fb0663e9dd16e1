import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/** Prints at the very end how many tests passed, which failed at first or at last, and which were not run and why. */
export class ClosingReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const notRun = new Map<string, number>();
    const failed: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) failed.push(module.relativeModuleId);
      for (const suite of module.children.allSuites())
        if (suite.errors().length > 0) failed.push(nameOf(suite));
      for (const test of module.children.allTests()) {
        const result = test.result();
        counts[result.state]++;
        if (test.diagnostic()?.flaky) process.stdout.write(`!! FAILED AT FIRST: ${nameOf(test)}\n`);
        if (result.state === 'failed') failed.push(nameOf(test));
        const why = /NOT RUN: (.*)$/.exec(test.fullName)?.[1];
        if (result.state === 'skipped') notRun.set(why ?? 'skipped', (notRun.get(why ?? 'skipped') ?? 0) + 1);
      }
    }
    const { noEventStoreDb = '' } = this.#vitest?.getRootProject().getProvidedContext() ?? {};
    if (noEventStoreDb !== '')
      process.stdout.write(`!! NOT RUN: suites on a real EventStoreDB: ${noEventStoreDb}\n`);
    for (const [why, count] of notRun) process.stdout.write(`!! NOT RUN: ${why} (${count})\n`);
    for (const name of failed) process.stdout.write(`!! FAILED: ${name}\n`);
    process.stdout.write(
      `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped\n`,
    );
  }
}

function nameOf({ module, fullName }: TestCase | TestSuite): string {
  return `${module.relativeModuleId} > ${fullName}`;
}
