import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { chromiumPath } from './chromium-path.ts';
import { builtConsole } from './console.ts';
import type { TestLedger } from './ledger.ts';

const EXECUTABLE = chromiumPath();

/** Whether the machine has Chromium, and otherwise the end of the title of a suite that needs it. */
export const hasChromium = EXECUTABLE !== undefined;
export const whyNoChromium = hasChromium ? '' : ', NOT RUN: Chromium is not installed';

/** One browser for all tests of a file, and the built console. */
export function sharedBrowser(): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    const launched = chromium.launch({
      executablePath: EXECUTABLE as string,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    [browser] = await Promise.all([launched, builtConsole()]);
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

interface Texts {
  readonly [key: string]: string | Texts;
}

/** Returns a function that gives the texts of the console in a language: `text('clusters:column.name')`. */
export function textsIn(
  language: Language,
): (key: string, values?: Readonly<Record<string, string>>) => string {
  return (key, values = {}) => {
    const [namespace = '', path = ''] = key.split(':');
    const file = join(import.meta.dirname, '../../web/i18n', language, `${namespace}.json`);
    const found = path
      .split('.')
      .reduce<string | Texts | undefined>(
        (at, part) => (at as Texts | undefined)?.[part],
        JSON.parse(readFileSync(file, 'utf8')),
      );
    if (typeof found !== 'string') throw new Error(`${language} has no text ${key}`);
    return found.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
  };
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
