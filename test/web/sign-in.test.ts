import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConsoleWindow,
  hasChromium,
  sharedBrowser,
  VIEWERS,
  type Viewer,
  whyNoChromium,
} from '../support/browser.ts';
import { registered } from '../support/cloud-events.ts';
import { IdentityProvider } from '../support/identity-provider.ts';
import { issuerKey } from '../support/issuer.ts';
import { type CreatedKey, createKey, sendAs } from '../support/keys.ts';
import { openLedger, type TestLedger } from '../support/ledger.ts';
import { textsIn } from '../support/texts.ts';

describe.skipIf(!hasChromium)(`signing in${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  let provider: IdentityProvider;
  let ledger: TestLedger & { discard(): Promise<void> };
  let operator: CreatedKey;
  let base: string;

  beforeAll(async () => {
    const now = Date.now();
    provider = new IdentityProvider([await issuerKey('RS256', 'rsa')], () => ledger.now);
    await provider.listen();
    const at = new Date(now).toISOString();
    ledger = await openLedger({ now: at, environment: provider.settings });
    base = `http://127.0.0.1:${ledger.port}`;
    const issued = await provider.sign({
      iss: provider.url,
      aud: 'cluster-ledger',
      sub: 'first',
      exp: Math.floor(now / 1_000) + 300,
      roles: ['operator'],
    });
    operator = await createKey(ledger, issued, { role: 'operator', name: 'Grace <b>Hopper</b>' });
    for (const [cluster, account] of [
      ['own', 'acme'],
      ['other', 'globex'],
    ] as const) {
      const event = registered(cluster, new Date(now - 86_400_000).toISOString(), account);
      const answer = await ledger.fetch('/v1/events', {
        method: 'POST',
        headers: {
          authorization: `Bearer ${operator.key}`,
          'content-type': 'application/cloudevents+json',
        },
        body: JSON.stringify(event),
      });
      expect(answer.status, answer.text).toBe(201);
    }
  });
  afterAll(async () => {
    await ledger.discard();
    await provider.close();
  });

  const open = (viewer: Viewer) => ConsoleWindow.open(browser(), ledger, viewer);

  describe.each(VIEWERS)('in $language at $width px by $by', (viewer) => {
    const t = textsIn(viewer.language);

    test('leads, with a key, to the page that was asked for, and signing out forgets everything', async () => {
      const window = await open(viewer);
      const { page } = window;
      await page.goto('/settings');
      const field = page.getByLabel(t('sign-in:key'), { exact: true });
      await field.waitFor();
      expect(new URL(page.url()).pathname).toBe('/sign-in');
      await window.expectAccessible('the sign-in page');
      await window.write(field, `${operator.key}x`);
      await window.press(page.getByRole('button', { name: t('sign-in:withKey') }));
      await page.getByRole('alert').filter({ hasText: 'the key is not known' }).waitFor();
      await window.expectAccessible('the sign-in page after a wrong key');
      await window.expectNoSidewaysScrolling('the sign-in page');
      await window.write(field, operator.key);
      await window.press(page.getByRole('button', { name: t('sign-in:withKey') }));
      await page.getByRole('heading', { name: t('settings:you.title') }).waitFor();
      // The name of a key is text, whatever is in it.
      await page.getByRole('main').getByText('Grace <b>Hopper</b>').first().waitFor();
      expect(await page.context().cookies()).toMatchObject([
        { name: `ledger-session-${ledger.port}`, httpOnly: true, sameSite: 'Strict' },
      ]);
      expect(JSON.stringify(await page.context().storageState())).not.toContain(operator.key);
      if (viewer.width < 600) await window.press(page.getByRole('button', { name: t('shell:openMenu') }));
      const loaded = page.waitForEvent('load');
      await window.press(page.getByRole('button', { name: t('shell:signOut') }));
      await loaded;
      await field.waitFor();
      expect(await page.context().cookies()).toEqual([]);
      await page.goto('/settings');
      await field.waitFor();
    });

    test('at the identity provider comes back to the page that was asked for', async () => {
      provider.claims = { roles: ['auditor'] };
      const window = await open(viewer);
      const { page } = window;
      await page.goto('/alerts?state=resolved');
      await window.press(page.getByRole('button', { name: t('sign-in:provider') }));
      await window.press(page.getByRole('link', { name: 'Sign in as Ada' }));
      await page.getByRole('heading', { name: t('alerts:title'), exact: true }).waitFor();
      expect(page.url()).toBe(`${base}/alerts?state=resolved`);
      await page.goto('/settings');
      await page.getByRole('main').getByText('Ada Lovelace').waitFor();
      await page.getByRole('heading', { name: t('settings:keys.title') }).waitFor();
      // An auditor reads the keys, and has no control over them.
      await page.getByRole('table').first().waitFor();
      expect(await page.getByRole('button', { name: t('settings:keys.create') }).count()).toBe(0);
    });
  });

  test('a person without a role reads why, and can begin again', async () => {
    provider.claims = { roles: ['guest'] };
    const window = await open({ language: 'en', width: 1_280 });
    const { page } = window;
    await page.goto('/sign-in');
    await window.press(page.getByRole('button', { name: 'Sign in with your organization' }));
    await window.press(page.getByRole('link', { name: 'Sign in as Ada' }));
    await page.getByRole('alert').filter({ hasText: 'has no role' }).waitFor();
    await window.press(page.getByRole('link', { name: 'Back to the sign-in' }));
    await page.getByLabel('API key', { exact: true }).waitFor();
  });

  test('a session whose key is revoked ends on the page, which leads to the sign-in', async () => {
    const key = await createKey(ledger, operator.key, { role: 'auditor' });
    const window = await open({ language: 'en', width: 1_280 });
    const { page } = window;
    await window.signIn(key.key);
    await page.goto('/alerts');
    await page.getByRole('heading', { name: 'Alerts', exact: true }).waitFor();
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${key.id}/revoke`);
    await page.getByText('Resolved', { exact: true }).click();
    await page.getByLabel('API key', { exact: true }).waitFor();
  });

  test('a customer sees its own account, and no control that it may not use', async () => {
    const key = await createKey(ledger, operator.key, {
      role: 'customer',
      accountId: 'acme',
      name: 'Acme Inc.',
    });
    const window = await open({ language: 'en', width: 1_280 });
    const { page } = window;
    await window.signIn(key.key);
    await page.goto('/clusters');
    await page.getByRole('cell', { name: 'own' }).first().waitFor();
    expect(await page.getByRole('cell', { name: 'other' }).count()).toBe(0);
    const links = await page.getByRole('navigation').getByRole('link').allTextContents();
    expect(links).toEqual(expect.arrayContaining(['Clusters', 'Alerts', 'Settings']));
    for (const hidden of ['Validator', 'Events', 'Delivery']) expect(links).not.toContain(hidden);
    await page.goto('/settings');
    await page.getByText('sees one account').waitFor();
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual(['You']);
    for (const path of ['/delivery', '/validator', '/events']) {
      await page.goto(path);
      await page.getByText('Your role may not open this page').waitFor();
      await window.expectAccessible(`${path} of a customer`);
    }
  });
});
