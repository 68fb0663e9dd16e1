import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { foundAgain } from './until.ts';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules whose verdict depends on colors. */
const RULES_OF_COLOR = ['color-contrast', 'link-in-text-block'];

/**
 * Returns what axe finds in a page, in words: violations of WCAG 2.2 AA and of good practice.
 * @param rules the rules to check; by default all.
 */
export async function violationsOf(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(SOURCE);
  // Without preload: it puts style elements into a document, which the policy of the console forbids.
  const options = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) };
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

/**
 * Expects that axe finds nothing wrong in a page, in each color scheme. The schemes differ in colors only, so all rules are checked
 * in the first scheme, and the rules of colors in the others.
 * @param what the state of the page, for the message.
 */
export async function expectAccessible(
  page: Page,
  what: string,
  schemes: readonly (typeof SCHEMES)[number][] = SCHEMES,
): Promise<void> {
  for (const [i, colorScheme] of schemes.entries()) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
    const rules = i === 0 ? undefined : RULES_OF_COLOR;
    expect(await violationsOf(page, rules), `${what} ${colorScheme}`).toEqual([]);
  }
}
