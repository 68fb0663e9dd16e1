import { describe, expect, onTestFinished, test } from 'vitest';
import { hasChromium, openPage, sharedBrowser, whyNoChromium } from '../support/browser.ts';
import { registered } from '../support/cloud-events.ts';
import { freePorts } from '../support/eventstored.ts';
import { openLedger } from '../support/ledger.ts';
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
