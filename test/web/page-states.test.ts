import type { Page, Route } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { violationsOf } from '../support/axe.ts';
import { hasChromium, openPage, overflowOf, sharedBrowser, whyNoChromium } from '../support/browser.ts';
import { registered } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { textsIn } from '../support/texts.ts';
import { until } from '../support/until.ts';

/** An address of each page, and of each part of a page that asks the ledger for something else. */
const PATHS = [
  '/',
  '/clusters',
  '/clusters/c1',
  '/deletions',
  '/accounts',
  '/accounts/acme',
  '/usage',
  '/usage?account=acme',
  '/usage?account=acme&tab=statement',
  '/periods',
  '/replay?account=acme',
  '/replay?account=acme&tab=compare&before=1',
  '/alerts',
  '/validator',
  '/events',
  '/events?tab=rejected',
  '/delivery',
  '/settings',
] as const;

const text = textsIn('en');

const PROBLEM = {
  type: 'urn:cluster-ledger:problem:store-unavailable',
  title: 'The store is unavailable',
  status: 400,
  detail: 'the disk is full',
  instance: 'request-4711',
};
const contentType = 'application/problem+json';

/** How the ledger answers, how the page shows it, and the color schemes in which axe looks at it: each message in both. */
const STATES: Readonly<
  Record<
    string,
    [(route: Route) => Promise<void>, (page: Page) => Promise<unknown>, readonly ('light' | 'dark')[]]
  >
> = {
  loading: [
    () => Promise.withResolvers<void>().promise,
    (page) => page.locator('[aria-busy=true]').first().waitFor(),
    ['light'],
  ],
  rejected: [
    (route) => route.fulfill({ status: 400, contentType, body: JSON.stringify(PROBLEM) }),
    async (page) => {
      const alert = page.getByRole('alert').filter({ hasText: PROBLEM.title }).first();
      await alert.getByText(/request-4711/).waitFor();
      await alert.getByRole('button', { name: text('common:state.retry') }).waitFor();
    },
    ['light', 'dark'],
  ],
  'without an answer': [
    (route) => route.abort(),
    (page) => page.getByRole('alert').getByText(text('common:state.unreachable')).first().waitFor(),
    ['dark'],
  ],
};

/** Returns whether a request asks for what a page shows. Who uses the console, and the live stream, are known. */
const isOfPage = ({ pathname }: URL) =>
  pathname.startsWith('/v1/') && pathname !== '/v1/session' && pathname !== '/v1/stream';

describe.skipIf(!hasChromium)(`a page of the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  const now = new Date().toISOString();
  const ledger = sharedLedger((it) => it.record(registered('c1', now, 'acme')), { now });

  test.each(PATHS)('says at %s that it is loading, was rejected, or has no answer', async (path) => {
    const page = await openPage(browser(), ledger(), '/nowhere');
    onTestFinished(() => page.unrouteAll({ behavior: 'ignoreErrors' }));
    for (const [state, [answer, look, schemes]] of Object.entries(STATES)) {
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await page.route(isOfPage, answer);
      await page.goto(path);
      await look(page);
      await page.getByRole('heading', { level: 1 }).waitFor();
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
        expect(await violationsOf(page), `${state} ${colorScheme}`).toEqual([]);
      }
      await page.setViewportSize({ width: 360, height: 740 });
      await until(async () => (await overflowOf(page)) <= 0);
      await page.setViewportSize({ width: 1_280, height: 844 });
    }
  });
});
