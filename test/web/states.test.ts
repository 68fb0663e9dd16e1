import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectAccessible } from '../support/axe.ts';
import {
  hasChromium,
  LANGUAGES,
  openPage,
  overflowOf,
  sharedBrowser,
  whyNoChromium,
} from '../support/browser.ts';
import { event, registered, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { textsIn } from '../support/texts.ts';
import { until } from '../support/until.ts';

const text = textsIn('en');

describe.skipIf(!hasChromium)(`the pages of the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  const now = new Date().toISOString();
  const ago = (days: number) => new Date(Date.parse(now) - days * 86_400_000).toISOString();
  const ledger = sharedLedger(
    async (it) => {
      const [first] = await it.record(
        registered('c1', ago(40), 'acme', { name: 'production', clusterType: 'workload' }),
        registered('c2', ago(10), 'globex', { name: 'staging' }),
        registered('c3', ago(10), 'globex', { name: 'free', billable: false }),
        stopped('c2', ago(2), 'unreachable'),
        stopped('nobody', ago(2)),
        registered('c4', ago(3), 'acme', { name: 'stuck' }),
        event('cluster.deletion-confirmed', 'c4', ago(1), { deletionId: 'd4' }),
        event('cluster.deletion-requested', 'c1', ago(1), { deletionId: 'd1' }),
        event('cluster.deletion-cancelled', 'c1', ago(1), { deletionId: 'd1' }),
      );
      const extra = await it.record(stopped('c1', ago(3)));
      await it.record(voided('c1', ago(1), (extra[0] as { eventId: string }).eventId));
      await it.post(registered('c1', ago(1), 'globex'));
      expect(first).toBeDefined();
    },
    { now },
  );

  const shown: readonly (readonly [path: string, ready: (page: Page) => Promise<unknown>])[] = [
    ['/', (page) => page.locator('.chart-bar').first().waitFor()],
    ['/?days=table', (page) => page.getByRole('row').nth(5).waitFor()],
    ['/clusters', (page) => page.getByRole('link', { name: 'production' }).waitFor()],
    ['/clusters?q=nothing', (page) => page.getByText(text('common:state.nothingMatches')).waitFor()],
    ['/clusters/c1', (page) => page.getByText(text('cluster:facts.voided'), { exact: true }).waitFor()],
    [
      '/clusters/c1?timeline=table',
      (page) => page.getByRole('cell', { name: 'workload', exact: true }).waitFor(),
    ],
    ['/clusters/none', (page) => page.getByRole('alert').waitFor()],
    ['/deletions', (page) => page.getByRole('article').nth(1).waitFor()],
    ['/nowhere', (page) => page.getByText(text('common:notFound.title')).waitFor()],
    ['/accounts', (page) => page.getByRole('link', { name: 'globex' }).waitFor()],
    ['/accounts/acme', (page) => page.locator('.chart-bar').first().waitFor()],
    ['/accounts/acme?year=table&limits=table', (page) => page.getByRole('row').nth(9).waitFor()],
    ['/usage', (page) => page.getByRole('link', { name: 'globex' }).waitFor()],
    ['/usage?account=acme&cluster=c1', (page) => page.getByRole('article').first().waitFor()],
    ['/usage?account=acme&tab=statement', (page) => page.getByText(text('usage:statement.none')).waitFor()],
    ['/periods', (page) => page.getByRole('row').nth(1).waitFor()],
    ['/replay?account=acme', (page) => page.getByRole('slider').waitFor()],
    ['/replay?account=acme&chart=table', (page) => page.getByRole('row').nth(2).waitFor()],
    ['/replay?account=acme&tab=compare&before=2', (page) => page.getByRole('article').first().waitFor()],
    [
      '/replay?account=acme&tab=evidence',
      (page) => page.locator('input[type=file]').waitFor({ state: 'attached' }),
    ],
  ];

  test.each(shown)('%s has no violation that axe finds, in either color scheme', async (path, ready) => {
    const page = await openPage(browser(), ledger(), path);
    await ready(page);
    await expectAccessible(page, path);
  });

  test('dialogs have no violation that axe finds, in either color scheme', async () => {
    const page = await openPage(browser(), ledger(), '/clusters/c1');
    await page.getByRole('button', { name: text('cluster:action.stop') }).click();
    await page.getByRole('button', { name: text('cluster:change.preview') }).click();
    await page.getByText(text('cluster:change.nothingSoFar')).waitFor();
    await expectAccessible(page, 'a change');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: text('cluster:action.delete'), exact: true }).click();
    await page.getByRole('button', { name: text('cluster:delete.continue') }).click();
    await page.getByRole('textbox', { name: text('cluster:delete.typeName') }).waitFor();
    await expectAccessible(page, 'a deletion');
  });

  test.each(LANGUAGES)(
    'fit a screen of 360 pixels in %s, and the menu opens every page',
    async (language) => {
      const own = textsIn(language);
      const page = await openPage(browser(), ledger(), '/nowhere', { language, width: 360, height: 740 });
      for (const path of ['/', '/clusters', '/clusters/c1', '/deletions']) {
        await page.goto(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await until(async () => (await overflowOf(page)) <= 0);
        await page.getByRole('button', { name: own('shell:openMenu') }).click();
        await page.getByRole('link', { name: own('shell:page.clusters'), exact: true }).click();
        await page.getByRole('heading', { level: 1, name: own('clusters:title') }).waitFor();
      }
    },
  );

  test('say what to do first while there is nothing', async () => {
    const empty = await ledgerForTest({ now });
    const page = await openPage(browser(), empty, '/nowhere');
    for (const [path, title] of [
      ['/', 'overview:empty.title'],
      ['/clusters', 'clusters:empty'],
      ['/deletions', 'deletions:empty'],
    ] as const) {
      await page.goto(path);
      await page.getByText(text(title), { exact: true }).waitFor();
      await expectAccessible(page, path);
    }
  });

  test('show the title of a problem, the id of the request, and a button to try again', async () => {
    const page = await openPage(browser(), ledger(), '/nowhere');
    let isBroken = true;
    const problem = {
      type: 'urn:cluster-ledger:problem:store-unavailable',
      title: 'The store is unavailable',
      status: 500,
      detail: 'the disk is full',
      instance: 'request-4711',
    };
    await page.route('**/v1/overview', (route) =>
      isBroken
        ? route.fulfill({
            status: 400,
            contentType: 'application/problem+json',
            body: JSON.stringify(problem),
          })
        : route.continue(),
    );
    await page.getByRole('link', { name: text('shell:page.overview'), exact: true }).click();
    const alert = page.getByRole('alert').filter({ hasText: problem.title });
    await alert.waitFor();
    expect(await alert.textContent()).toContain('request-4711');
    expect(await alert.textContent()).toContain('the disk is full');
    await expectAccessible(page, 'a problem');
    isBroken = false;
    await alert.getByRole('button', { name: text('common:state.retry') }).click();
    await page.getByText(text('overview:figure.billedNow')).waitFor();
  });
});
