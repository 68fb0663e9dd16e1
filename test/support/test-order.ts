import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** Returns the place of a test file in the order of a run: a file with a lower one starts earlier. */
function turnOf({ moduleId }: TestSpecification): number {
  if (moduleId.includes('/test/deploy/')) return 0;
  return /[/]test[/](web[/]|http[/]browsers[.])/.test(moduleId) ? 2 : 1;
}

/**
 * Runs the tests with containers first and those with a browser last. Each container adds a network interface, and a browser drops
 * the requests under way when an interface appears.
 */
export class TestOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => turnOf(a) - turnOf(b));
  }
}
