import type { Page, Route } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { expectAccessible, SCHEMES } from '../support/axe.ts';
import {
  ConsoleWindow,
  hasChromium,
  isLongForm,
  openPage,
  overflowOf,
  sharedBrowser,
  whyNoChromium,
} from '../support/browser.ts';
import { registered } from '../support/cloud-events.ts';
import { type CreatedKey, createKey } from '../support/keys.ts';
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

const OUTDATED = 'an answer that is out of date';

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
      await expectAccessible(page, state, isLongForm ? SCHEMES : schemes);
      await page.setViewportSize({ width: 360, height: 740 });
      await until(async () => (await overflowOf(page)) <= 0);
      await page.setViewportSize({ width: 1_280, height: 844 });
    }
  });

  /** Troubles while a page is shown: each returns once the page says so, beside the data that it keeps. */
  const TROUBLES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
    [OUTDATED]: async (page) => {
      await page.route(isOfPage, (route) =>
        route.fulfill({ status: 400, contentType, body: JSON.stringify(PROBLEM) }),
      );
      // Each event makes what is shown be read again.
      await ledger().record(registered(`c${++events}`, now, 'globex'));
      await page.getByText(text('common:state.outdated')).first().waitFor();
    },
    'that live updates are lost': async (page) => {
      await page.route('**/v1/stream', (route) => route.abort());
      await page.reload();
      await page.getByText(text('shell:connection.lostDetail')).waitFor();
    },
    'that the ledger is read-only': async (page) => {
      await page.route('**/readyz', async (route) => {
        const { checks } = await (await route.fetch()).json();
        const json = { status: 'not-ready', checks: { ...checks, log: { ok: false, detail: 'log-behind' } } };
        await route.fulfill({ status: 503, json });
      });
      await page.reload();
      await page.getByText(text('shell:readOnly')).waitFor();
    },
  };
  let events = 1;
  // The feed gets its events with the live stream, and reads none of them again; nothing is shown of a statement that is absent.
  const WITHOUT_ANSWER: readonly string[] = ['/events', '/usage?account=acme&tab=statement'];
  const TROUBLED = PATHS.flatMap((path) =>
    Object.entries(TROUBLES)
      .filter(([what]) => what !== OUTDATED || !WITHOUT_ANSWER.includes(path))
      .filter(([what]) => isLongForm || (path === '/alerts' && what === OUTDATED))
      .map(([what, cause]) => [path, what, cause] as const),
  );

  test.each(TROUBLED)('says at %s %s', async (path, what, cause) => {
    const page = await openPage(browser(), ledger(), path);
    onTestFinished(() => page.unrouteAll({ behavior: 'ignoreErrors' }));
    await page.getByTestId('connection').getByText(text('shell:connection.live')).waitFor();
    await until(async () => (await page.locator('[aria-busy=true]').count()) === 0);
    await cause(page);
    await until(async () => (await page.locator('[aria-busy=true]').count()) === 0);
    await expectAccessible(page, what);
  });
});

describe.runIf(hasChromium && isLongForm)('a page of the console for a customer', () => {
  const browser = sharedBrowser();
  const now = new Date().toISOString();
  let customer: CreatedKey;
  const ledger = sharedLedger(
    async (it) => {
      await it.record(registered('c1', now, 'acme'), registered('c2', now, 'globex'));
      const operator = await createKey(it, undefined, { role: 'operator' });
      customer = await createKey(it, operator.key, { role: 'customer', accountId: 'acme' });
    },
    { now },
  );

  test.each(PATHS)('shows at %s what is the own account, or that the role may not open it', async (path) => {
    const window = await ConsoleWindow.open(browser(), ledger());
    await window.signIn(customer.key);
    const { page } = window;
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await until(async () => (await page.locator('[aria-busy=true]').count()) === 0);
    await expectAccessible(page, path);
    expect(await page.getByText('globex').count()).toBe(0);
  });
});
