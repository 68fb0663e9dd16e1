import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from '../support/axe.ts';
import {
  ConsoleWindow,
  hasChromium,
  overflowOf,
  sharedBrowser,
  VIEWERS,
  type Viewer,
  whyNoChromium,
} from '../support/browser.ts';
import { event, registered } from '../support/cloud-events.ts';
import { type CreatedKey, createKey, sendAs } from '../support/keys.ts';
import { openLedger, type TestLedger } from '../support/ledger.ts';
import { answerWith, Receiver } from '../support/receiver.ts';
import { textsIn } from '../support/texts.ts';
import { eventually, until } from '../support/until.ts';

/** A name of a cluster that tries everything. */
const HOSTILE = '<img src=x onerror=alert(1)>‮abc🙂'.padEnd(200, 'x');
const MINUTE_MS = 60_000;

describe.skipIf(!hasChromium)(`the work of an operator in the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  let ledger: TestLedger & { discard(): Promise<void> };
  let operator: CreatedKey;

  beforeAll(async () => {
    ledger = await openLedger({
      clockGoesOn: true,
      now: new Date(Date.now() - 20 * MINUTE_MS).toISOString(),
    });
    const at = new Date(ledger.now - MINUTE_MS).toISOString();
    await ledger.record(registered('c1', at, 'acme', { name: HOSTILE }));
    for (const { language, width, by } of VIEWERS)
      await ledger.record(
        event('cluster.unreachable', `orphan-${language}-${width}-${by}`, at, {
          evidence: { code: HOSTILE },
        }),
      );
    await ledger.post(registered('c1', at, 'globex'));
    ledger.pass(20 * MINUTE_MS);
    operator = await createKey(ledger, undefined, { role: 'operator', name: 'Ada' });
  });
  afterAll(async () => {
    await ledger.discard();
  });

  const asOperator = async (viewer: Viewer) => {
    const window = await ConsoleWindow.open(browser(), ledger, viewer);
    await window.signIn(operator.key);
    return window;
  };
  const request = (method: string, path: string, body?: unknown) =>
    sendAs(ledger, operator.key, method, path, body);

  describe.each(VIEWERS)('in $language at $width px by $by', (viewer) => {
    const t = textsIn(viewer.language);

    test('acknowledges an alert with a note for a day', async () => {
      const window = await asOperator(viewer);
      const { page } = window;
      const subject = `orphan-${viewer.language}-${viewer.width}-${viewer.by}`;
      await page.goto('/alerts');
      const kind = t('alerts:kind.orphan-facts');
      await window.press(page.getByRole('button', { name: t('alerts:acknowledgeOf', { kind, subject }) }));
      const dialog = page.getByRole('dialog');
      await window.choose(dialog.getByLabel(t('alerts:ask.silent')), 3);
      await window.write(dialog.getByLabel(t('alerts:ask.note')), 'Ada looks into it');
      await window.expectAccessible('the dialog');
      await window.press(dialog.getByRole('button', { name: t('alerts:acknowledge') }));
      await dialog.waitFor({ state: 'detached' });
      const { body } = await request('GET', `/v1/alerts/orphan-facts:${subject}`);
      expect(body).toMatchObject({
        state: 'acknowledged',
        acknowledged: { by: operator.id, note: 'Ada looks into it', until: expect.any(String) },
      });
      await page.goto('/alerts?state=acknowledged');
      await page.getByText('Ada looks into it').first().waitFor();
      await window.expectNoSidewaysScrolling('the alerts');
    });

    test('creates a key, which is shown once and works, and revokes it', async () => {
      ledger.pass(Date.now() - ledger.now);
      const window = await asOperator(viewer);
      const { page } = window;
      const name = `Lovelace Audit ${viewer.language} ${viewer.width} ${viewer.by}`;
      await page.goto('/settings');
      await window.press(page.getByRole('button', { name: t('settings:keys.create') }));
      const dialog = page.getByRole('dialog');
      const submit = dialog.getByRole('button', { name: t('settings:keys.create') });
      await window.press(submit);
      await dialog.getByText(t('settings:create.nameMissing')).waitFor();
      await window.write(dialog.getByLabel(t('settings:keys.name')), name);
      await window.choose(dialog.getByLabel(t('settings:keys.role')), 3);
      await window.write(dialog.getByLabel(t('settings:keys.account')), 'acme');
      await window.expectAccessible('the form of a key');
      await window.press(submit);
      const shown = dialog.getByText(/^clk_[a-z0-9]{12}_/);
      const key = (await shown.textContent()) ?? '';
      expect((await ledger.get('/v1/me', { authorization: `Bearer ${key}` })).body).toMatchObject({
        role: 'customer',
        accountId: 'acme',
      });
      await window.expectAccessible('the key');
      await window.press(dialog.getByRole('button', { name: t('settings:create.kept') }));
      await dialog.waitFor({ state: 'detached' });
      expect(await page.content()).not.toContain(key);
      await window.press(page.getByRole('button', { name: t('settings:keys.revokeOf', { name }) }));
      await window.press(page.getByRole('dialog').getByRole('button', { name: t('settings:keys.revoke') }));
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect((await ledger.get('/v1/me', { authorization: `Bearer ${key}` })).status).toBe(401);
      await window.expectNoSidewaysScrolling('the settings');
    });

    test('finds a webhook that fails, and sends an event again', async () => {
      const receiver = new Receiver();
      await receiver.start();
      receiver.answer = answerWith(500);
      const window = await asOperator(viewer);
      const { page } = window;
      const description = `Billing ${viewer.language} ${viewer.width} ${viewer.by}`;
      const { body: webhook } = await request('POST', '/v1/webhooks', { url: receiver.url, description });
      try {
        await request('PUT', `/v1/clusters/w-${viewer.language.toLowerCase()}-${viewer.width}-${viewer.by}`, {
          accountId: 'acme',
          name: 'w',
          effectiveAt: new Date(ledger.now).toISOString(),
        });
        await eventually(async () => {
          const { body } = await request('GET', `/v1/webhooks/${webhook.webhookId}`);
          expect(body.delivery.failingSince).toBeDefined();
        });
        await page.goto('/delivery');
        const row = page.getByRole('row').filter({ hasText: description });
        await row.getByText(t('delivery:health.failing')).waitFor();
        await window.press(row.getByRole('link', { name: description }));
        await page.getByRole('cell', { name: /500/ }).first().waitFor();
        await window.expectAccessible('a webhook that fails');
        receiver.answer = answerWith(204);
        await window.press(page.getByRole('button', { name: t('delivery:redeliver') }).first());
        await page
          .getByRole('cell', { name: t('delivery:outcome.delivered') })
          .first()
          .waitFor();
        expect(receiver.accepted.length).toBeGreaterThan(0);
        await window.expectNoSidewaysScrolling('a webhook');
      } finally {
        await request('DELETE', `/v1/webhooks/${webhook.webhookId}`);
        await receiver.stop();
      }
    });

    test('sees an event as it is recorded, with its raw form and its proof', async () => {
      const window = await asOperator(viewer);
      const { page } = window;
      await page.goto('/events');
      await page
        .getByRole('cell', { name: t('events:typeIs.cluster-registered') })
        .first()
        .waitFor();
      // An event that is recorded before the page is connected is not sent to it.
      await page
        .getByTestId('connection')
        .filter({ hasText: t('shell:connection.live') })
        .waitFor({ state: 'attached' });
      const cluster = `live-${viewer.language.toLowerCase()}-${viewer.width}-${viewer.by}`;
      const effectiveAt = new Date(ledger.now).toISOString();
      await request('PUT', `/v1/clusters/${cluster}`, { accountId: 'acme', name: 'live', effectiveAt });
      const row = page.getByRole('row').filter({ hasText: cluster });
      await window.press(row.getByRole('link', { name: t('events:typeIs.cluster-registered') }));
      await page.getByRole('heading', { name: t('events:proof.title') }).waitFor();
      await page.getByText('"io.clusterledger.cluster.registered.v1"').waitFor();
      await window.expectAccessible('an event');
      await window.expectNoSidewaysScrolling('an event');
    });
  });

  test('retries a rejected event, and reads why it is rejected again', async () => {
    const window = await asOperator({ language: 'en', width: 1_280 });
    const { page } = window;
    await page.goto('/events?tab=rejected');
    await window.press(page.getByRole('button', { name: 'Open the event of c1' }));
    await window.press(page.getByRole('button', { name: 'Try again' }));
    await page.getByRole('alert').filter({ hasText: 'belongs to account acme' }).waitFor();
    await window.expectAccessible('a rejected event');
  });

  test.each([
    ['en', 'light', 'dark'],
    ['zh-CN', 'dark', 'light'],
  ] as const)(
    'has nothing that assistive technology cannot use in %s, wide and %s, narrow and %s',
    // 44 looks take two minutes on a busy machine.
    { timeout: 900_000 },
    async (language, wide, narrow) => {
      const window = await asOperator({ language });
      const { page } = window;
      for (const path of [
        '/settings',
        '/settings?keys=expired',
        '/alerts',
        '/alerts?state=resolved',
        '/alerts/event-rejected:none',
        '/validator',
        '/validator?tab=undecided',
        '/events',
        '/events?q=nothing-has-this',
        '/events?tab=rejected',
        '/delivery',
      ]) {
        await page.goto(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
        for (const [width, scheme] of [[1_280, wide] as const, [390, narrow] as const]) {
          await page.setViewportSize({ width, height: 844 });
          await expectAccessible(page, `${path} ${width}`, [scheme]);
          await until(async () => (await overflowOf(page)) <= 0);
        }
      }
    },
  );
});
