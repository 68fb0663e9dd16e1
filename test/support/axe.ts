import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { foundAgain } from './until.ts';

/**
 * Returns what axe finds in a page, in words.
 * @param tags the rules to check; by default all rules of WCAG 2.2 AA and of good practice.
 */
export async function violationsOf(page: Page, tags?: readonly string[]): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  // Without preload: it puts style elements into a document, which the policy of the console forbids.
  const options = {
    resultTypes: ['violations'],
    preload: false,
    ...(tags !== undefined && { runOnly: { type: 'tag', values: tags } }),
  };
  return foundAgain(async () => {
    const { violations }: Pick<AxeResults, 'violations'> = await page.evaluate(
      `axe.run(document, ${JSON.stringify(options)})`,
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target} ${failureSummary}`),
    );
  });
}
