import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { launchChromium } from './chromium.ts';
import { builtConsole } from './console.ts';
import type { TestLedger } from './ledger.ts';

/** One browser for all tests of a file, and the built console. */
export function sharedBrowser(): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    [browser] = await Promise.all([launchChromium(), builtConsole()]);
  });
  afterAll(() => browser.close());
  return () => browser;
}

export interface ViewerOptions {
  readonly language?: Language;
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  /** Headers of every request, for example an API key. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly context?: BrowserContextOptions;
}

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * Opens a page of the console as a viewer sees it. The test fails at its end if the page violated its policy or a script failed.
 */
export async function openPage(
  browser: Browser,
  ledger: TestLedger,
  path: string,
  {
    language = 'en',
    width = 1280,
    height = 800,
    scheme = 'light',
    headers,
    context: more,
  }: ViewerOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language === 'en' ? 'en-US' : language,
    timezoneId: 'Europe/Berlin',
    colorScheme: scheme,
    reducedMotion: 'reduce',
    ...(headers !== undefined && { extraHTTPHeaders: { ...headers } }),
    ...more,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|Content-Security-Policy/.test(message.text())) wrong.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(wrong, 'errors of scripts and violations of the policy').toEqual([]);
  });
  await page.goto(`http://127.0.0.1:${ledger.port}${path}`);
  return page;
}

/** Maximum number of presses of Tab: more than any page has elements. */
const MAX_TABS = 300;

/** Computes in the page the name of the element that has the focus. The tests are compiled without the types of browsers. */
const NAME_OF_FOCUSED = `(() => {
  const element = document.activeElement;
  const label = element.id === '' ? null : document.querySelector('label[for="' + CSS.escape(element.id) + '"]');
  return element.getAttribute('aria-label') ?? label?.textContent ?? element.textContent ?? '';
})()`;

/** Returns whether an element has the focus. */
export async function hasFocus(page: Page, element: Locator): Promise<boolean> {
  return (await element.and(page.locator(':focus')).count()) === 1;
}

/** Returns by how many pixels the page is wider than the screen. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
}

/** Presses Tab until the element with a name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < MAX_TABS; i++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(NAME_OF_FOCUSED);
    if (focused.trim() === name) return;
  }
  throw new Error(`nothing named ${name} can be reached with the keyboard`);
}
