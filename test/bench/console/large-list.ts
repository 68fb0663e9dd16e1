/**
 * Measures the console on a ledger with many clusters: `npm run bench:console -- --clusters 100000`. Prints for the first visit of each
 * page the time until the largest content is painted, the shift of the layout, the longest task, and the size of the scripts; and the
 * longest task of scrolling, filtering and sorting the list. Ends with 1 if a figure is above its limit.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../support/chromium-path.ts';
import { registered } from '../../support/cloud-events.ts';
import { LedgerProcess } from '../../support/ledger-process.ts';
import { until } from '../../support/until.ts';

const BATCH = 1_000;
const SCROLLED_ROWS = 1_000;
const DAY_MS = 86_400_000;

/** Largest figures that are allowed: milliseconds, a score, and bytes. */
const LIMITS: Readonly<Record<string, number>> = { lcp: 1_500, shift: 0.05, longest: 200, scripts: 200_000 };

/** First visits: an address of each page, and a selector of what shows that it is complete. */
const VISITS = [
  ['/', '.chart-bar'],
  ['/clusters', '[aria-rowindex="6"]'],
  ['/clusters/cluster-1', '.timeline-bar'],
  ['/deletions', 'h1'],
  ['/accounts', 'tbody tr'],
  ['/accounts/account-1', '.chart-bar'],
  ['/usage', 'tbody tr'],
  ['/usage?account=account-1', '.usage-sum'],
  ['/periods', 'tbody tr'],
  ['/replay?account=account-1', '.chart-line'],
  ['/alerts', 'h1'],
  ['/validator', 'h1'],
  ['/events', '[aria-rowindex="6"]'],
  ['/delivery', 'h1'],
  ['/settings', 'h2'],
] as const;

/** Collects in the page what the browser measures. */
const OBSERVER = `
  window.measured = { lcp: 0, shift: 0, tasks: [], scripts: 0 };
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) measured.lcp = entry.startTime; })
    .observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) measured.shift += entry.value; })
    .observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) measured.tasks.push(entry.duration); })
    .observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => { for (const { name, encodedBodySize } of list.getEntries()) if (name.endsWith('.js')) measured.scripts += encodedBodySize; })
    .observe({ type: 'resource', buffered: true });
`;

interface Measured {
  readonly lcp: number;
  readonly shift: number;
  readonly tasks: readonly number[];
  readonly scripts: number;
}

const {
  values: { clusters },
} = parseArgs({ options: { clusters: { type: 'string', default: '100000' } } });

async function main(): Promise<void> {
  const executablePath = chromiumPath();
  if (executablePath === undefined)
    throw new Error('Chromium is not installed; set CHROMIUM_PATH to its program');
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-large-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: dataDir });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    await ledger.start();
    await fill(ledger.url, Number(clusters));
    for (const [path, complete] of VISITS) await firstVisit(browser, ledger.url, path, complete);
    await list(browser, `${ledger.url}/clusters`);
  } finally {
    await browser.close();
    await ledger.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function fill(url: string, count: number): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < count; from += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => {
      const id = from + i;
      const time = new Date(now - ((id * 7_919) % 60) * DAY_MS).toISOString();
      return registered(`cluster-${id}`, time, `account-${id % 500}`, {
        name: `name-${(id * 104_729) % count}`,
      });
    });
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
    if (!answer.ok)
      throw new Error(`the clusters were not recorded: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(300_000);
  await page.addInitScript(OBSERVER);
  await page.goto(url);
  return page;
}

const measuredIn = (page: Page) => page.evaluate<Measured>('measured');

async function firstVisit(browser: Browser, url: string, path: string, complete: string): Promise<void> {
  const page = await open(browser, url + path);
  await page.locator(complete).first().waitFor();
  await until(async () => (await page.locator('[aria-busy=true]').count()) === 0);
  // The browser reports a paint a little later.
  await until(async () => (await measuredIn(page)).lcp > 0);
  const { lcp, shift, tasks, scripts } = await measuredIn(page);
  print(path, { lcp, shift, longest: Math.max(0, ...tasks), scripts });
  await page.context().close();
}

async function list(browser: Browser, url: string): Promise<void> {
  const page = await open(browser, url);
  const row = page.getByRole('row').nth(5);
  await row.waitFor();

  const during = async (what: string, act: () => Promise<unknown>) => {
    await page.evaluate('void (measured.tasks = [])');
    const began = performance.now();
    await act();
    const { tasks: own, shift: moved } = await measuredIn(page);
    print(`clusters: ${what}`, {
      took: performance.now() - began,
      shift: moved,
      longest: Math.max(0, ...own),
    });
  };
  await during('scrolling', async () => {
    await page.locator('.table-scroll').hover();
    const sixth = page.locator('[aria-rowindex]').nth(5);
    // The next rows are loaded while the list is scrolled, so how far a turn of the wheel gets depends on the ledger.
    while (Number(await sixth.getAttribute('aria-rowindex')) < SCROLLED_ROWS)
      await page.mouse.wheel(0, 3_000);
  });
  await during('filtering', async () => {
    await page.getByRole('searchbox').first().fill('name-777');
    await page.waitForURL(/q=name-777/);
    await page.getByRole('link', { name: 'name-777', exact: true }).waitFor();
  });
  await during('sorting', async () => {
    await page.getByRole('searchbox').first().fill('');
    await page.getByRole('button', { name: 'Billed since' }).click();
    await page.locator('th[aria-sort]').getByText('Billed since').waitFor();
    await row.waitFor();
  });
}

const UNITS: Readonly<Record<string, string>> = { scripts: ' bytes', shift: '' };

function print(what: string, figures: Readonly<Record<string, number>>): void {
  const text = Object.entries(figures).map(([name, value]) => {
    const isTooMuch = value > (LIMITS[name] ?? Number.POSITIVE_INFINITY);
    if (isTooMuch) process.exitCode = 1;
    const figure = name === 'shift' ? value.toFixed(4) : String(Math.round(value));
    return `${name} ${figure}${UNITS[name] ?? ' ms'}${isTooMuch ? ' (TOO MUCH)' : ''}`;
  });
  process.stdout.write(`${what}: ${text.join(', ')}\n`);
}

await main();
