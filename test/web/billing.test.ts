import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ConsoleWindow, hasChromium, sharedBrowser, VIEWERS, whyNoChromium } from '../support/browser.ts';
import { deleted, registered } from '../support/cloud-events.ts';
import { bearer, type CreatedKey, createKey } from '../support/keys.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { textsIn } from '../support/texts.ts';
import { until } from '../support/until.ts';

const MONTHS = ['2025-08', '2025-09', '2025-10', '2025-11', '2025-12', '2026-01', '2026-02', '2026-03'];

/** The month that each viewer closes, in order, and the cluster that each transfers. */
const WORK = VIEWERS.map((viewer, i) => ({
  ...viewer,
  period: MONTHS.slice(-VIEWERS.length)[i] as string,
  cluster: `moved-${i}`,
}));
/** The month in which the usage begins. */
const FIRST = WORK[0]?.period;

describe.skipIf(!hasChromium)(`in the console${whyNoChromium}, the bill`, () => {
  const browser = sharedBrowser();
  let operator: CreatedKey;
  let customer: CreatedKey;
  const ledger = sharedLedger(async (it) => {
    await it.record(
      registered('c1', `${FIRST}-05T06:00:00Z`, 'acme', { clusterType: 'workload' }),
      registered('c2', '2025-12-20T00:00:00.250Z', 'acme'),
      deleted('c1', '2026-04-03T12:30:00.125Z'),
      registered('g1', `${FIRST}-01T00:00:00Z`, 'globex'),
      ...WORK.map(({ cluster }) => registered(cluster, '2026-04-10T00:00:00Z', 'initech')),
    );
    operator = await createKey(it, undefined, { role: 'operator' });
    customer = await createKey(it, operator.key, { role: 'customer', accountId: 'acme' });
  });
  const get = async (path: string) => (await ledger().get(path, bearer(operator.key))).body;

  /** Opens a window on a ledger whose clock the browser has too. */
  async function open(viewer: (typeof VIEWERS)[number], key?: string, on: TestLedger = ledger()) {
    const window = await ConsoleWindow.open(browser(), on, viewer);
    await window.page.clock.setFixedTime(on.now);
    if (key !== undefined) await window.signIn(key);
    const { page } = window;
    const text = textsIn(viewer.language);
    return { window, page, text };
  }

  test.each(WORK)('closes a month after a dry run, by $by, $width px, $language', async (viewer) => {
    const { period } = viewer;
    const { window, page, text } = await open(viewer, operator.key);
    await page.goto('/periods');
    const button = (name: string) => page.getByRole('button', { name, exact: true }).first();
    await window.press(button(text('periods:previewOf', { period })));
    await page.getByRole('heading', { name: text('periods:dryRun.title', { period }) }).waitFor();
    await page.getByRole('link', { name: 'globex' }).first().waitFor();
    expect((await get(`/v1/periods/${period}`)).state).toBe('due');

    await window.press(button(text('periods:closeOf', { period })));
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: text('periods:closing.confirm') });
    const field = dialog.getByRole('textbox', { name: text('periods:closing.type', { period }) });
    await window.write(field, period.slice(0, -1));
    await page.keyboard.press('Enter');
    expect(await confirm.isDisabled()).toBe(true);
    expect((await get(`/v1/periods/${period}`)).state).toBe('due');
    await window.write(field, period);
    await until(() => confirm.isEnabled());
    await window.expectAccessible('the confirmation');
    await window.press(confirm);
    await page.getByRole('heading', { name: text('periods:statementsOf', { period }) }).waitFor();
    expect((await get(`/v1/periods/${period}`)).state).toBe('closed');
    await window.expectNoSidewaysScrolling('the statements');
    await window.press(page.getByRole('link', { name: 'acme' }).first());
    const isSum = text('usage:sum.same', { figure: text('usage:sum.ofStatement') });
    await page.getByText(isSum, { exact: true }).waitFor();
  });

  test.each(WORK)('is found by the one who pays it, by $by, $width px, $language', async (viewer) => {
    const { window, page, text } = await open(viewer, customer.key);
    await page.goto('/');
    if (viewer.width < 600)
      await window.press(page.getByRole('button', { name: text('shell:openMenu'), exact: true }));
    const navigation = page.getByRole('navigation');
    await window.press(navigation.getByRole('link', { name: text('shell:page.usage'), exact: true }));
    // c1 from the beginning of the month to its deletion, and c2 up to the present of the ledger, 15 April at noon.
    const figure = page.getByRole('region', { name: text('usage:figure'), exact: true });
    await figure.getByText('1,470,600.125').waitFor();
    const isSum = text('usage:sum.same', { figure: text('usage:sum.figure') });
    await page.getByText(isSum, { exact: true }).waitFor();
    await window.press(page.getByRole('button', { name: text('common:pick.previousMonth') }));
    await window.openTab(page.getByRole('tab', { name: text('usage:tab.statement') }));
    const isSumOfLines = text('usage:sum.same', { figure: text('usage:sum.ofStatement') });
    await page.getByText(isSumOfLines, { exact: true }).waitFor();
    await window.expectNoSidewaysScrolling('the statement');
  });

  test.each(WORK)('is explained down to two facts, by $by, $width px, $language', async (viewer) => {
    const { window, page, text } = await open(viewer, operator.key);
    await page.goto('/usage?account=acme&period=2026-04');
    const explain = text('usage:parts.explainNamed', { name: 'c1' });
    await window.press(page.getByRole('button', { name: explain, exact: true }));
    const fact = (end: string, type: string) =>
      page.getByRole('article', {
        name: `${text(`usage:interval.${end}`)}: ${text(`common:factType.${type}`)}`,
      });
    await fact('openedBy', 'ClusterRegistered').getByText(`${FIRST}-05 06:00:00 UTC`).waitFor();
    await fact('closedBy', 'ClusterDeleted').getByText('2026-04-03 12:30:00.125 UTC').waitFor();
    const reason = page.getByRole('region', { name: text('usage:cluster.title', { name: 'c1' }) });
    await reason.getByText('217,800.125').first().waitFor();
    await window.expectNoSidewaysScrolling('the explanation');
  });

  test.each(WORK)('changes as was shown before a transfer, by $by, $width px, $language', async (viewer) => {
    const { cluster, by } = viewer;
    const { window, page, text } = await open(viewer, operator.key);
    await page.goto('/accounts/initech');
    const transfer = text('account:clusters.transferNamed', { name: cluster });
    await window.press(page.getByRole('button', { name: transfer, exact: true }));
    const dialog = page.getByRole('dialog');
    await window.write(dialog.getByRole('textbox', { name: text('cluster:change.account') }), 'umbrella');
    // The order in which a date is typed depends on the browser: with the keyboard, the transfer is from now on.
    const isNow = by === 'keyboard';
    if (!isNow) await dialog.getByLabel(text('cluster:change.effectiveAt')).fill('2026-04-11T00:00');
    await window.press(dialog.getByRole('button', { name: text('cluster:change.preview') }));
    const effect = text(`cluster:change.${isNow ? 'nothingSoFar' : 'effect'}`);
    await dialog.getByText(effect, { exact: true }).waitFor();
    if (!isNow) await dialog.getByRole('row', { name: /^umbrella 2026-04/ }).waitFor();
    expect((await get(`/v1/clusters/${cluster}`)).accountId).toBe('initech');
    await window.press(dialog.getByRole('button', { name: text('cluster:change.transfer.confirm') }));
    await dialog.waitFor({ state: 'detached' });
    expect((await get(`/v1/clusters/${cluster}`)).accountId).toBe('umbrella');
  });

  test.each(WORK)('is disputed and proved, by $by, $width px, $language', async (viewer) => {
    const { window, page, text } = await open(viewer, operator.key);
    const button = (key: string) => page.getByRole('button', { name: text(key), exact: true });
    await page.goto('/replay?account=acme&period=2026-04');
    const step = page.getByRole('region', { name: text('replay:step.label') });
    const figure = (seconds: string) => step.getByTitle(text('common:duration.exact', { seconds }));
    const fact = step.getByRole('article');
    // The last fact is the notice of the deletion, which changes nothing.
    await fact.getByText(text('common:factType.BillingStopped')).waitFor();
    await window.press(button('replay:step.back'));
    await fact.getByText(text('common:factType.ClusterDeleted')).waitFor();
    await figure('1470600.125').waitFor();
    await window.press(button('replay:step.back'));
    await fact.getByText('2025-12-20 00:00:00.250 UTC').waitFor();
    // Before c1 was deleted, both clusters were billed for 14.5 days.
    await figure('2505600.000').waitFor();
    await window.press(button('replay:step.compare'));
    const cause = `${text('replay:compare.counted')}: ${text('common:factType.ClusterDeleted')}`;
    await page.getByRole('article', { name: cause }).getByText('2026-04-03 12:30:00.125 UTC').waitFor();

    await window.openTab(page.getByRole('tab', { name: text('replay:tab.evidence') }));
    const save = page.getByRole('link', { name: text('replay:evidence.save', { period: '2026-04' }) });
    const [download] = await Promise.all([page.waitForEvent('download'), window.press(save)]);
    const evidence = await readFile(await download.path());
    const verify = async (buffer: Buffer) => {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        window.press(button('replay:verify.file')),
      ]);
      await chooser.setFiles({ name: 'evidence.json', mimeType: 'application/json', buffer });
      await window.press(button('replay:verify.do'));
    };
    await window.press(button('replay:verify.useKeys'));
    await verify(evidence);
    await page.getByText(text('replay:verdict.proved', { account: 'acme', period: '2026-04' })).waitFor();
    await window.expectAccessible('a proof');
    await verify(Buffer.from(evidence.toString('utf8').replaceAll('12:30:00.125', '12:30:00.126')));
    await page.getByText(text('replay:verdict.refuted')).waitFor();
    await window.expectAccessible('a refutation');
    await window.expectNoSidewaysScrolling('the verdict');
  });

  test.each(WORK)(
    'the billing of an existing platform begins with a month, by $by, $width px, $language',
    async (viewer) => {
      const platform = await ledgerForTest();
      await platform.record(
        registered('old', '2025-05-03T00:00:00Z', 'acme'),
        registered('older', '2025-01-01T00:00:00Z', 'globex'),
      );
      const { window, page, text } = await open(viewer, undefined, platform);
      await page.goto('/periods');
      const button = (name: string) => page.getByRole('button', { name, exact: true });
      await window.press(button(text('periods:beginning.start')));
      const months = page.getByRole('combobox', { name: text('periods:begin.firstMonth') });
      await months.waitFor();
      const options = await months.locator('option').all();
      const values = await Promise.all(options.map((option) => option.getAttribute('value')));
      await window.choose(months, values.indexOf('2026-03'));
      await window.press(button(text('periods:begin.continue')));
      const leftOut = page.getByRole('group', { name: text('periods:leftOut.byAccount') });
      await leftOut.getByText('globex').waitFor();
      await window.expectNoSidewaysScrolling('what is left out');
      await window.press(button(text('periods:begin.continue')));
      await window.write(page.getByRole('textbox', { name: text('periods:begin.reason') }), 'charged before');
      const confirmation = text('periods:closing.type', { period: '2026-03' });
      await window.write(page.getByRole('textbox', { name: confirmation }), '2026-03');
      await window.expectAccessible('the beginning');
      await window.press(button(text('periods:begin.do', { period: '2026-03' })));
      await page.getByText('charged before').waitFor();
      const { body } = await platform.get('/v1/billing/beginning');
      expect(body).toMatchObject({ period: '2026-03', reason: 'charged before' });
    },
  );
});
