import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleWindow, hasChromium, sharedBrowser, type Viewer, whyNoChromium } from '../support/browser.ts';
import { textsIn } from '../support/texts.ts';
import { Fleet, fleetForTest } from '../support/validated-fleet.ts';

const VIEWERS = [
  { language: 'en', width: 1_280, by: 'mouse' },
  { language: 'zh-CN', width: 390, by: 'keyboard', scheme: 'dark' },
] as const satisfies readonly Viewer[];

describe.skipIf(!hasChromium)(`the validator in the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start();
  });
  afterAll(async () => {
    await fleet.stop();
  });

  test.each(VIEWERS)(
    'plans a run, runs, and shows what was seen: $language, $width px, $by',
    async (viewer) => {
      const t = textsIn(viewer.language);
      const now = new Date().toISOString();
      // The effect that observing would have had is part of every run.
      const policy = { mode: 'observe', unreachableAfter: 1, unreachableFor: '0m' };
      const platform = await fleetForTest(fleet, { now, policy });
      const { ledger } = platform;
      const yesterday = new Date(ledger.now - 86_400_000).toISOString();
      await platform.register({ up: 'healthy', down: 'healthy' }, yesterday);
      await platform.run();
      await platform.becomes('down', 'refused');
      const window = await ConsoleWindow.open(browser(), ledger, viewer);
      const { page } = window;
      await page.goto('/validator');
      await page
        .getByRole('cell', { name: t('validator:stateIs.completed') })
        .first()
        .waitFor();
      await window.press(page.getByRole('button', { name: t('validator:dryRun.button') }));
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('cell', { name: 'refused', exact: true }).waitFor();
      await window.expectAccessible('a dry run');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      ledger.pass(300_000);
      await window.press(page.getByRole('button', { name: t('validator:runNow') }));
      const rows = page.getByRole('group', { name: t('validator:runs'), exact: true }).getByRole('row');
      await expect.poll(() => rows.count(), { timeout: 120_000 }).toBe(3);
      await page
        .getByRole('cell', { name: t('validator:stateIs.completed') })
        .nth(1)
        .waitFor();
      await window.expectAccessible('the runs');
      await window.press(rows.nth(1).getByRole('link'));
      await page.getByRole('heading', { name: t('validator:wouldHave') }).waitFor();
      await page.getByRole('link', { name: 'down' }).first().waitFor();
      await window.expectAccessible('a run');
      await window.expectNoSidewaysScrolling('a run');
    },
  );
});
