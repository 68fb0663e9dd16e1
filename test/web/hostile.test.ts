import { describe, expect, test } from 'vitest';
import { hasChromium, openPage, overflowOf, sharedBrowser, whyNoChromium } from '../support/browser.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { textsIn } from '../support/texts.ts';
import { until } from '../support/until.ts';

const NAMES = {
  markup:
    "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>{{title}}$t(title)",
  'right-to-left': 'שרת ייצור \u202Eevil\u2066 عنقود',
  long: 'x'.repeat(200),
  emoji: '👩🏽‍🚀🏳️‍🌈'.repeat(12),
  combining: `z${'̸̢̛͔'.repeat(40)}`,
  quotes: `'"\`;--</textarea></title><!-- =HYPERLINK("http://evil.example")`,
} as const;
const CASES = Object.entries(NAMES);
const text = textsIn('en');

describe.skipIf(!hasChromium)(`a cluster whose name is hostile, in the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  const now = new Date().toISOString();
  const ledger = sharedLedger(
    async (it) => {
      for (const [kind, name] of CASES) {
        await it.record(registered(kind, now, 'acme', { name, labels: { note: name.slice(0, 100) } }));
        await it.record({ ...stopped(kind, now), data: { cause: 'manual', reason: name } });
      }
    },
    { now },
  );

  test.each(CASES)(
    '(%s) is shown as text everywhere, and can be deleted by typing it',
    async (kind, name) => {
      // openPage fails the test if the policy of the page was violated.
      const page = await openPage(browser(), ledger(), `/clusters/${kind}`, { width: 390 });
      const heading = page.getByRole('heading', { level: 1 });
      // Until its name is known, a cluster is called by its id.
      await until(async () => (await heading.textContent()) === name);
      expect(await page.title()).not.toBe('hacked');
      await until(async () => (await overflowOf(page)) <= 0);
      await page.getByRole('button', { name: text('cluster:action.delete'), exact: true }).click();
      await page.getByRole('button', { name: text('cluster:delete.continue') }).click();
      await page.getByRole('textbox', { name: text('cluster:delete.typeName') }).fill(name);
      await page.getByRole('button', { name: text('cluster:delete.confirm') }).click();
      await page.getByText(text('cluster:delete.confirmed'), { exact: true }).waitFor();
      expect(await page.locator('body img, body script:not([src])').count()).toBe(0);
    },
  );

  test('has its row in the list, and its deletion in the list of deletions', async () => {
    const page = await openPage(browser(), ledger(), '/clusters', { width: 390 });
    await page.getByRole('row').nth(CASES.length).waitFor();
    const links = await page.getByRole('row').getByRole('link').allTextContents();
    expect(links.toSorted()).toEqual(Object.values(NAMES).toSorted());
    await page.goto(`http://127.0.0.1:${ledger().port}/deletions`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await page.title()).not.toBe('hacked');
  });
});
