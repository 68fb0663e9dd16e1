import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { violationsOf } from './axe.ts';
import { chromiumPath } from './chromium-path.ts';
import { builtConsole } from './console.ts';
import type { TestLedger } from './ledger.ts';
import { eventually } from './until.ts';

const EXECUTABLE = chromiumPath();

/** Whether the machine has Chromium, and otherwise the end of the title of a suite that needs it. */
export const hasChromium = EXECUTABLE !== undefined;
export const whyNoChromium = hasChromium ? '' : ', NOT RUN: Chromium is not installed';

/** Only a page or a browser that hangs reaches this: a machine may be slow. */
const PATIENCE_MS = 120_000;

/** One browser for all tests of a file, and the built console. */
export function sharedBrowser(): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    [browser] = await Promise.all([
      chromium.launch({ executablePath: EXECUTABLE as string, args, timeout: PATIENCE_MS }),
      builtConsole(),
    ]);
  });
  afterAll(() => browser.close());
  return () => browser;
}

/** A page in a context of its own, for the test that is running. */
export async function pageForTest(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  onTestFinished(() => page.close());
  return page;
}

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Contexts that no window uses, by the options that they were made with. */
const idle = new WeakMap<Browser, Map<string, BrowserContext[]>>();

/**
 * Returns a context of a browser, a former one if there is one: its cache has the scripts of the console. `putBack` forgets who is
 * signed in and what the pages stored, and lets the next window have the context.
 */
async function takeContext(browser: Browser, options: BrowserContextOptions) {
  const ofBrowser = idle.get(browser) ?? new Map<string, BrowserContext[]>();
  idle.set(browser, ofBrowser);
  const key = JSON.stringify(options);
  const contexts = ofBrowser.get(key) ?? [];
  ofBrowser.set(key, contexts);
  const context = contexts.pop() ?? (await browser.newContext(options));
  context.setDefaultTimeout(PATIENCE_MS);
  const putBack = async () => {
    await context.setStorageState({ cookies: [], origins: [] });
    contexts.push(context);
  };
  return { context, putBack };
}

/** How a person sits in front of the console. */
export interface Viewer {
  readonly language?: Language;
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  /** The device that the person uses. */
  readonly by?: 'mouse' | 'keyboard';
}

/** Whether the long form of the tests of the console runs: every combination, not only every pair of two choices. */
// biome-ignore lint/style/noProcessEnv: a test has no other option.
export const isLongForm = process.env['CONSOLE_TESTS'] === 'all';

type ChosenViewer = Required<Pick<Viewer, 'language' | 'width' | 'by'>>;

/** The viewers who do each job: every pair of a language, a width and a device, and in the long form every combination. */
export const VIEWERS: readonly ChosenViewer[] = LANGUAGES.flatMap((language) =>
  [1_280, 390].flatMap((width) => (['mouse', 'keyboard'] as const).map((by) => ({ language, width, by }))),
).filter(
  ({ language, width, by }) => isLongForm || ((language === 'en') === (width === 1_280)) === (by === 'mouse'),
);

/** Maximum number of presses of Tab: more than any page has elements. */
const MAX_TABS = 300;

/** A window of a browser on the console. */
export class ConsoleWindow {
  readonly page: Page;
  readonly #base: string;
  readonly #by: 'mouse' | 'keyboard';

  private constructor(page: Page, base: string, by: 'mouse' | 'keyboard') {
    this.page = page;
    this.#base = base;
    this.#by = by;
  }

  /**
   * Opens a window without a page, until the end of the test. The test fails at its end if a page in the window had an error or
   * violated its policy.
   */
  static async open(
    browser: Browser,
    ledger: TestLedger,
    { language = 'en', width = 1_280, height = 844, scheme = 'light', by = 'mouse' }: Viewer = {},
  ): Promise<ConsoleWindow> {
    const base = `http://127.0.0.1:${ledger.port}`;
    const { context, putBack } = await takeContext(browser, {
      baseURL: base,
      viewport: { width, height },
      locale: language === 'en' ? 'en-US' : language,
      timezoneId: 'Europe/Berlin',
      colorScheme: scheme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      // A rejected request is shown on the page, and browsers log it too.
      if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
        faults.push(message.text());
    });
    onTestFinished(async () => {
      await page.close();
      await putBack();
      expect(faults, 'errors of scripts and violations of the policy').toEqual([]);
    });
    return new ConsoleWindow(page, base, by);
  }

  /** Signs in with a key, without the sign-in page. */
  async signIn(key: string): Promise<void> {
    const { request } = this.page.context();
    const answer = await request.post('/v1/session', { data: { key }, headers: { origin: this.#base } });
    expect(answer.status(), await answer.text()).toBe(201);
  }

  /** Presses a button or follows a link, as the person does: with a click, or with Tab and Enter. */
  async press(target: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
    if (this.#by === 'mouse') return target.click().catch((error) => this.#fail(error));
    await this.#reach(target);
    await this.page.keyboard.press(key);
  }

  /** Replaces the text of a field. */
  async write(target: Locator, text: string): Promise<void> {
    if (this.#by === 'mouse') return target.fill(text).catch((error) => this.#fail(error));
    // A dialog that has just opened may take the focus to its first control meanwhile.
    await eventually(async () => {
      await this.#reach(target);
      await this.page.keyboard.press('ControlOrMeta+A');
      await this.page.keyboard.type(text);
      expect(await target.inputValue()).toBe(text);
    });
  }

  /** Chooses the option at an index of a list. */
  async choose(target: Locator, index: number): Promise<void> {
    if (this.#by === 'mouse') {
      await target.selectOption({ index });
      return;
    }
    await this.#reach(target);
    await this.page.keyboard.press('Home');
    for (let i = 0; i < index; i++) await this.page.keyboard.press('ArrowDown');
  }

  /** Opens a tab of the page: with a click, or with arrow keys from the tab that is open. */
  async openTab(tab: Locator): Promise<void> {
    if (this.#by === 'mouse') return tab.click();
    await this.#reach(this.page.getByRole('tab', { selected: true }));
    for (let presses = 0; presses < MAX_TABS; presses++) {
      if (await hasFocus(this.page, tab)) return;
      await this.page.keyboard.press('ArrowRight');
    }
    return this.#fail(new Error(`no arrow key leads to ${tab}`));
  }

  /** Presses Tab until a control has the focus. @throws Error if Tab never leads there */
  async #reach(target: Locator): Promise<void> {
    await target.waitFor().catch((error) => this.#fail(error));
    for (let presses = 0; presses < MAX_TABS; presses++) {
      if (await hasFocus(this.page, target)) return;
      await this.page.keyboard.press('Tab');
      // A dialog corrects, in a timer, where a Tab out of a date leads. A person is slower than that.
      await this.page.evaluate('new Promise((resolve) => setTimeout(resolve))');
    }
    return this.#fail(new Error(`Tab never leads to ${target}`));
  }

  /** @throws Error that says, besides what a control did not do, what the page shows */
  async #fail(error: Error): Promise<never> {
    const text = await this.page.locator('body').ariaSnapshot();
    throw new Error(`${error.message}\n${this.page.url()} shows:\n${text}`, { cause: error });
  }

  /** Expects that assistive technology can use the page as it is: no violation of WCAG 2.2 AA or of good practice. */
  async expectAccessible(what: string): Promise<void> {
    expect(await violationsOf(this.page), what).toEqual([]);
  }

  /** Expects that nothing is wider than the window. */
  async expectNoSidewaysScrolling(what: string): Promise<void> {
    expect(await overflowOf(this.page), what).toBeLessThanOrEqual(0);
  }
}

/** Opens a page of the console in a window of its own. */
export async function openPage(
  browser: Browser,
  ledger: TestLedger,
  path: string,
  viewer: Viewer = {},
): Promise<Page> {
  const { page } = await ConsoleWindow.open(browser, ledger, viewer);
  await page.goto(path);
  return page;
}

/** Returns whether an element has the focus. */
export async function hasFocus(page: Page, element: Locator): Promise<boolean> {
  return (await element.and(page.locator(':focus')).count()) > 0;
}

/** Returns by how many pixels the page is wider than the screen. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
