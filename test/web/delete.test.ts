import { describe, expect, test } from 'vitest';
import {
  ConsoleWindow,
  hasChromium,
  hasFocus,
  type Language,
  openPage,
  sharedBrowser,
  VIEWERS,
  whyNoChromium,
} from '../support/browser.ts';
import { deleted, event, registered } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { textsIn } from '../support/texts.ts';
import { until } from '../support/until.ts';

const nameOf = (language: Language, width: number, by: string) => `shop ${language} ${width} ${by}`;
const idOf = (name: string) => name.replaceAll(' ', '-');

describe.skipIf(!hasChromium)(`deleting a cluster in the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  const now = new Date().toISOString();
  const ago = (days: number) => new Date(Date.parse(now) - days * 86_400_000).toISOString();
  const ledger = sharedLedger(
    async (it) => {
      const names = VIEWERS.map(({ language, width, by }) => nameOf(language, width, by));
      for (const name of [...names, 'kept', 'other'])
        await it.record(registered(idOf(name), ago(3), 'acme', { name }));
    },
    { now },
  );

  test.each(VIEWERS)('is done, and seen to stop, by $by at $width pixels in $language', async (viewer) => {
    const { language, width, by } = viewer;
    const name = nameOf(language, width, by);
    const clusterId = idOf(name);
    const text = textsIn(language);
    const window = await ConsoleWindow.open(browser(), ledger(), viewer);
    const { page } = window;
    await page.goto(`/clusters/${clusterId}`);
    await page.getByRole('heading', { level: 1, name }).waitFor();
    const press = (button: string) => window.press(page.getByRole('button', { name: button, exact: true }));

    await press(text('cluster:action.delete'));
    await page.getByRole('dialog').waitFor();
    await page.getByRole('button', { name: text('cluster:delete.continue') }).waitFor();
    await press(text('cluster:delete.continue'));
    const field = page.getByRole('textbox', { name: text('cluster:delete.typeName') });
    await field.waitFor();
    // The field has the focus: the viewer types at once.
    await until(() => hasFocus(page, field));
    const confirm = page.getByRole('button', { name: text('cluster:delete.confirm') });
    await page.keyboard.type(name.slice(0, -1));
    expect(await confirm.isDisabled()).toBe(true);
    await page.keyboard.type(name.slice(-1));
    await until(() => confirm.isEnabled());
    // Enter in the field confirms nothing.
    await page.keyboard.press('Enter');
    const deletions = async () => (await ledger().get(`/v1/clusters/${clusterId}/deletions`)).body.items;
    expect((await deletions())[0]).not.toHaveProperty('confirmed');

    await press(text('cluster:delete.confirm'));
    await page.getByText(text('cluster:delete.confirmed'), { exact: true }).waitFor();
    await press(text('cluster:dialog.done'));
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const section = page.getByRole('region', { name: text('cluster:deletion'), exact: true });
    await until(() => hasFocus(page, section));
    const state = (key: string) =>
      section.getByRole('heading').filter({ hasText: text(`common:deletion.state.${key}`) });
    await state('confirmed').waitFor();

    const [{ deletionId }] = await deletions();
    await ledger().record(event('cluster.deletion-confirmed', clusterId, now, { deletionId }));
    await state('deprovisioning').waitFor();
    await ledger().record(deleted(clusterId, now));
    await state('billing-stopped').waitFor();
    await section.getByText(text('common:deletion.billEnded')).waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: text('cluster:sentence.deleted').split('<')[0] ?? '' })
      .waitFor();
  });

  test('leaves everything as it is if the dialog is left with Escape, and gives the focus back', async () => {
    const text = textsIn('en');
    const page = await openPage(browser(), ledger(), '/clusters/kept');
    const button = page.getByRole('button', { name: text('cluster:action.delete'), exact: true });
    await button.click();
    await page.getByRole('button', { name: text('cluster:delete.continue') }).click();
    await page.getByRole('textbox', { name: text('cluster:delete.typeName') }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await until(() => hasFocus(page, button));
    await until(
      async () => (await ledger().get('/v1/clusters/kept/deletions')).body.items[0]?.state === 'cancelled',
    );
    expect((await ledger().get('/v1/clusters/kept')).body.status).toBe('billed');
  });

  test('can be begun in the list, and canceled and begun again in the list of deletions', async () => {
    const text = textsIn('en');
    const page = await openPage(browser(), ledger(), '/clusters?q=other');
    await page.getByRole('button', { name: text('clusters:deleteNamed', { name: 'other' }) }).click();
    await page.getByRole('button', { name: text('cluster:delete.continue') }).click();
    await page.getByRole('textbox', { name: text('cluster:delete.typeName') }).fill('other');
    await page.getByRole('button', { name: text('cluster:delete.confirm') }).click();
    await page.getByRole('button', { name: text('cluster:dialog.done') }).click();

    await page.goto(`http://127.0.0.1:${ledger().port}/deletions`);
    const card = page.getByRole('article', { name: text('deletions:of', { name: 'other' }) });
    await card
      .first()
      .getByRole('button', { name: text('common:deletion.cancel') })
      .click();
    await card.first().getByText(text('common:deletion.cancelled')).waitFor();
    await card
      .first()
      .getByRole('button', { name: text('common:deletion.retry') })
      .click();
    await page.getByRole('dialog', { name: text('cluster:delete.title', { name: 'other' }) }).waitFor();
  });
});
