import { describe, expect, onTestFinished, test } from 'vitest';
import { hasChromium, openPage, sharedBrowser, whyNoChromium } from '../support/browser.ts';
import { registered } from '../support/cloud-events.ts';
import { freePorts } from '../support/eventstored.ts';
import { ledgerForTest, openLedger } from '../support/ledger.ts';
import { textsIn } from '../support/texts.ts';

const text = textsIn('en');

describe.skipIf(!hasChromium)(`a page of the console, when the ledger stops,${whyNoChromium}`, () => {
  const browser = sharedBrowser();

  test('says so, keeps what it shows with its age, and recovers without a hand', async () => {
    const now = new Date().toISOString();
    // Of two facts with the same time, the id decides which name counts: so the change is later than the registration.
    const yesterday = new Date(Date.parse(now) - 86_400_000).toISOString();
    const [port] = (await freePorts(1)) as [number];
    const ledger = await openLedger({ now, environment: { LEDGER_HTTP_PORT: String(port) } });
    onTestFinished(ledger.discard);
    await ledger.record(registered('c1', yesterday, 'acme', { name: 'production' }));
    const page = await openPage(browser(), ledger, '/clusters/c1');
    const connection = page.getByTestId('connection');
    await connection.filter({ hasText: text('shell:connection.live') }).waitFor();
    await page.getByRole('heading', { level: 1, name: 'production' }).waitFor();

    await ledger.close();
    await connection.filter({ hasText: text('shell:connection.lost') }).waitFor();
    const banner = page.getByRole('alert').filter({ hasText: text('shell:connection.lostDetail') });
    await banner.waitFor();
    expect(await banner.textContent()).toContain(text('common:time.justNow'));
    expect(await page.getByRole('heading', { level: 1, name: 'production' }).isVisible()).toBe(true);

    await ledger.open();
    await connection.filter({ hasText: text('shell:connection.live') }).waitFor();
    await banner.waitFor({ state: 'detached' });
    // Changes show again without loading the page.
    const change = { ...registered('c1', now), type: 'io.clusterledger.cluster.changed.v1', id: 'renamed' };
    await ledger.record({ ...change, data: { name: 'renamed' } });
    await page.getByRole('heading', { level: 1, name: 'renamed' }).waitFor();
  });
});

describe.skipIf(!hasChromium)(
  `a page of the console, while it connects to the live stream,${whyNoChromium}`,
  () => {
    const browser = sharedBrowser();

    test('misses nothing that is recorded after it has read what it shows', async () => {
      const yesterday = new Date(Date.now() - 86_400_000).toISOString();
      const ledger = await ledgerForTest({ now: new Date().toISOString() });
      await ledger.record(registered('c1', yesterday, 'acme', { name: 'production' }));
      const page = await openPage(browser(), ledger, '/nowhere');
      const recorded = Promise.withResolvers<void>();
      await page.route('**/v1/stream', (route) => recorded.promise.then(() => route.continue()));
      await page.goto('/clusters/c1');
      await page.getByRole('heading', { level: 1, name: 'production' }).waitFor();
      const now = new Date(ledger.now).toISOString();
      const change = { ...registered('c1', now), type: 'io.clusterledger.cluster.changed.v1', id: 'renamed' };
      await ledger.record({ ...change, data: { name: 'renamed' } });
      recorded.resolve();
      await page.getByRole('heading', { level: 1, name: 'renamed' }).waitFor();
    });
  },
);

describe.skipIf(!hasChromium)(`a part of the console that could not be loaded${whyNoChromium}`, () => {
  const browser = sharedBrowser();

  test.each(['js', 'css'])('is loaded again, without a hand: %s', async (kind) => {
    const ledger = await ledgerForTest();
    const page = await openPage(browser(), ledger, '/nowhere');
    await page.getByText(text('common:notFound.title')).waitFor();
    let failed = 0;
    await page.route(new RegExp(`/assets/[^/]+[.]${kind}$`), (route) =>
      failed++ === 0 ? route.abort() : route.continue(),
    );
    await page.getByRole('link', { name: text('shell:page.overview'), exact: true }).click();
    await page.getByText(text('overview:empty.title')).waitFor();
    expect(failed).toBeGreaterThan(1);
  });

  test('is loaded again up to four times if the page itself names it, with less haste each time', async () => {
    const ledger = await ledgerForTest();
    const page = await openPage(browser(), ledger, '/nowhere');
    await page.getByText(text('common:notFound.title')).waitFor();
    let failed = 0;
    await page.route(/[/]assets[/]index-[^/]+[.]js$/, (route) =>
      failed++ < 3 ? route.abort() : route.continue(),
    );
    await page.goto('/');
    await page.getByText(text('overview:empty.title')).waitFor();
    expect(failed).toBe(4);
  });

  test('is reported in plain words if it cannot be loaded at all', async () => {
    const ledger = await ledgerForTest();
    const page = await openPage(browser(), ledger, '/nowhere');
    let failed = 0;
    await page.route(/[/]assets[/]index-[^/]+[.]js$/, (route) => {
      failed++;
      return route.abort();
    });
    await page.goto('/');
    await page.getByRole('alert').filter({ hasText: 'The console could not be loaded.' }).waitFor();
    expect(failed).toBe(5);
  });
});
