import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { hasChromium, hasFocus, openPage, sharedBrowser, whyNoChromium } from '../support/browser.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { textsIn } from '../support/texts.ts';
import { until } from '../support/until.ts';

const text = textsIn('en');

describe.skipIf(!hasChromium)(`the clusters in the console${whyNoChromium}`, () => {
  const browser = sharedBrowser();
  const now = new Date().toISOString();
  const ago = (days: number) => new Date(Date.parse(now) - days * 86_400_000).toISOString();
  const ledger = sharedLedger(
    async (it) => {
      await it.record(
        registered('c1', ago(40), 'acme', { name: 'production', clusterType: 'workload' }),
        registered('c2', ago(10), 'acme', { name: 'staging' }),
        registered('c3', ago(5), 'globex', { name: 'production-eu' }),
        stopped('c2', ago(2), 'manual'),
        registered('v1', ago(6), 'acme', { name: 'to-void' }),
        registered('t1', ago(6), 'acme', { name: 'to-transfer' }),
      );
    },
    { now },
  );

  test('are found by name and state, and the address of what is found shows the same again', async () => {
    const page = await openPage(browser(), ledger(), '/clusters');
    await page.getByRole('link', { name: 'staging' }).waitFor();
    await page.getByRole('searchbox', { name: text('clusters:search') }).fill('production');
    await page.getByRole('link', { name: 'staging' }).waitFor({ state: 'detached' });
    await page.getByRole('combobox', { name: text('clusters:column.status') }).selectOption('billed');
    await page.getByRole('searchbox', { name: text('clusters:column.account') }).fill('globex');
    await page.getByRole('link', { name: 'production', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: text('clusters:column.billedSince') }).click();
    await page.waitForURL(/sort=/);
    const address = page.url();
    expect(address).toContain('q=production');
    expect(address).toContain('account=globex');
    const again = await openPage(browser(), ledger(), new URL(address).pathname + new URL(address).search);
    await again.getByRole('link', { name: 'production-eu' }).waitFor();
    expect(await again.getByRole('row').count()).toBe(2);
    await again.getByRole('searchbox', { name: text('clusters:search') }).fill('nothing like this');
    await again.getByText(text('common:state.nothingMatches')).waitFor();
    await again.getByRole('button', { name: text('common:state.clearFilters') }).click();
    await again.getByRole('link', { name: 'staging' }).waitFor();
  });

  test('are listed by their type, from the figure of that type or by typing it', async () => {
    const page = await openPage(browser(), ledger(), '/usage?account=acme');
    await page.getByRole('link', { name: 'workload' }).click();
    await page.getByRole('link', { name: 'production', exact: true }).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    const address = new URL(page.url());
    expect(Object.fromEntries(address.searchParams)).toEqual({ account: 'acme', type: 'workload' });
    const filter = page.getByRole('searchbox', { name: text('clusters:column.type') });
    expect(await filter.inputValue()).toBe('workload');
    await filter.fill('');
    await page.getByRole('link', { name: 'staging' }).waitFor();
  });

  test('are saved as CSV with the chosen columns', async () => {
    const page = await openPage(browser(), ledger(), '/clusters?account=globex');
    await page.getByRole('link', { name: 'production-eu' }).waitFor();
    await page.getByRole('button', { name: text('common:table.columns') }).click();
    await page.getByRole('checkbox', { name: text('clusters:column.id') }).check();
    await page.keyboard.press('Escape');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: text('common:table.csv') }).click();
    const [header, row] = (await readFile(await (await download).path(), 'utf8')).split('\r\n');
    expect(header).toContain(text('clusters:column.id'));
    expect(row).toContain('c3');
    expect(row).toContain(ago(5));
  });

  test('show on their page in one sentence whether they are billed, and every fact with its actor', async () => {
    const page = await openPage(browser(), ledger(), '/clusters/c2');
    const sentence = page.getByRole('status').filter({ hasText: text('cluster:cause.manual') });
    // The time is known when the billing of the cluster is loaded, after the cause.
    await sentence.filter({ hasText: '8 d' }).waitFor();
    const facts = page.getByRole('region', { name: text('cluster:facts.title') }).first();
    await facts
      .getByRole('row')
      .filter({ hasText: text('cluster:fact.billing-stopped') })
      .getByText('loopback')
      .waitFor();
    await page
      .getByRole('listitem')
      .getByRole('link', { name: new RegExp(text('cluster:fact.cluster-registered')) })
      .waitFor();
  });

  test('are stopped and resumed after their effect on the bill was shown', async () => {
    const page = await openPage(browser(), ledger(), '/clusters/c1');
    await page.getByRole('button', { name: text('cluster:action.stop') }).click();
    const at = new Date(Date.parse(now) - 86_400_000).toISOString().slice(0, 16);
    await page.getByLabel(text('cluster:change.effectiveAt')).fill(at);
    await page.getByRole('button', { name: text('cluster:change.preview') }).click();
    const effect = page.getByRole('region', { name: text('cluster:effect.title') });
    await effect.getByRole('row').filter({ hasText: 'acme' }).first().waitFor();
    expect((await ledger().get('/v1/clusters/c1')).body.status).toBe('billed');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: text('cluster:change.stop.confirm') })
      .click();
    await page.getByRole('button', { name: text('cluster:action.resume') }).click();
    await page.getByRole('button', { name: text('cluster:change.preview') }).click();
    await page.getByText(text('cluster:change.billedAfter')).waitFor();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: text('cluster:change.resume.confirm') })
      .click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await ledger().get('/v1/clusters/c1')).body.status).toBe('billed');
  });

  test('are transferred after it was shown what each account is credited and charged', async () => {
    const page = await openPage(browser(), ledger(), '/clusters/t1');
    await page.getByRole('button', { name: text('cluster:action.transfer') }).click();
    await page.getByRole('textbox', { name: text('cluster:change.account') }).fill('globex');
    const at = new Date(Date.parse(now) - 86_400_000).toISOString().slice(0, 16);
    await page.getByLabel(text('cluster:change.effectiveAt')).fill(at);
    await page.getByRole('button', { name: text('cluster:change.preview') }).click();
    const effect = page.getByRole('region', { name: text('cluster:effect.title') });
    await effect.getByRole('row').filter({ hasText: 'globex' }).first().waitFor();
    await effect.getByText('−').first().waitFor();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: text('cluster:change.transfer.confirm') })
      .click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await ledger().get('/v1/clusters/t1')).body.accountId).toBe('globex');
  });

  test('keep the focus in the dialog of a change when its button was busy', async () => {
    const page = await openPage(browser(), ledger(), '/clusters/c3');
    await page.getByRole('button', { name: text('cluster:action.stop') }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: text('cluster:change.preview') }).click();
    await page.getByText(text('cluster:change.nothingSoFar')).waitFor();
    await page.evaluate('document.activeElement.blur()');
    await page.keyboard.press('Tab');
    await until(() => hasFocus(page, dialog));
    await page.keyboard.press('Tab');
    expect(await dialog.locator(':focus').count()).toBe(1);
  });

  test('have facts that are voided with a reason, and that stay on the page', async () => {
    const page = await openPage(browser(), ledger(), '/clusters/v1');
    await page.getByRole('button', { name: /^Void the fact/ }).click();
    const preview = page.getByRole('button', { name: text('cluster:change.preview') });
    expect(await preview.isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: text('cluster:change.reason') }).fill('posted twice');
    await preview.click();
    await page.getByRole('region', { name: text('cluster:effect.title') }).waitFor();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: text('cluster:change.void.confirm') })
      .click();
    await page.getByRole('table').getByText(text('cluster:facts.voided'), { exact: true }).waitFor();
    expect((await ledger().get('/v1/clusters/v1/billing')).body.intervals).toEqual([]);
  });
});
