import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { foundAgain } from './until.ts';

/** Returns what axe finds in a page, in words: violations of WCAG 2.2 AA and of good practice. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  // Without preload: it puts style elements into a document, which the policy of the console forbids.
  const options = { resultTypes: ['violations'], preload: false };
  return foundAgain(async () => {
    const { violations }: Pick<AxeResults, 'violations'> = await page.evaluate(
      `axe.run(document, ${JSON.stringify(options)})`,
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target} ${failureSummary}`),
    );
  });
}

export const SCHEMES = ['light', 'dark'] as const;

/** Expects that axe finds nothing wrong in a page, in each color scheme. @param what the state of the page, for the message */
export async function expectAccessible(
  page: Page,
  what: string,
  schemes: readonly (typeof SCHEMES)[number][] = SCHEMES,
): Promise<void> {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
    expect(await violationsOf(page), `${what} ${colorScheme}`).toEqual([]);
  }
}
