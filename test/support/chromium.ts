import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { violationsOf } from './axe.ts';
import { chromiumPath } from './chromium-path.ts';

const EXECUTABLE = chromiumPath();

/** Whether the machine has Chromium, and otherwise the end of the title of a suite that needs it. */
export const hasChromium = EXECUTABLE !== undefined;
export const whyNoChromium = hasChromium ? '' : ', NOT RUN: Chromium is not installed';

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE as string,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/** How a person sits in front of the console. */
export interface Viewer {
  readonly language: 'en' | 'zh-CN';
  readonly width: number;
  readonly scheme?: 'light' | 'dark';
  /** The device that the person uses. */
  readonly by?: 'mouse' | 'keyboard';
}

/** A window of a browser on the console. Everything that went wrong in it fails the test that closes it. */
export class ConsoleWindow {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #by: 'mouse' | 'keyboard';
  readonly #faults: string[] = [];

  private constructor(context: BrowserContext, page: Page, by: 'mouse' | 'keyboard') {
    this.#context = context;
    this.page = page;
    this.#by = by;
    page.on('pageerror', (error) => this.#faults.push(String(error)));
    page.on('console', (message) => {
      // A rejected request is shown on the page, and browsers log it too.
      if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
        this.#faults.push(message.text());
    });
  }

  /** Opens a window without a page. @param base address of the ledger */
  static async open(
    browser: Browser,
    base: string,
    { language, width, scheme = 'light', by = 'mouse' }: Viewer,
  ): Promise<ConsoleWindow> {
    const context = await browser.newContext({
      baseURL: base,
      viewport: { width, height: 844 },
      locale: language,
      colorScheme: scheme,
      reducedMotion: 'reduce',
    });
    // Only a page that hangs reaches this: a machine may be slow.
    context.setDefaultTimeout(120_000);
    return new ConsoleWindow(context, await context.newPage(), by);
  }

  /** Signs in with a key, without the sign-in page. */
  async signIn(base: string, key: string): Promise<void> {
    const { request } = this.#context;
    const answer = await request.post('/v1/session', { data: { key }, headers: { origin: base } });
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
    await this.#reach(target);
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.type(text);
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

  /** Presses Tab until a control has the focus. @throws Error if Tab never leads there */
  async #reach(target: Locator): Promise<void> {
    await target.waitFor().catch((error) => this.#fail(error));
    for (let presses = 0; presses < 300; presses++) {
      if ((await target.and(this.page.locator(':focus')).count()) > 0) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab never leads to ${target}`);
  }

  /** @throws Error that says, besides what a control did not do, what the page shows */
  async #fail(error: Error): Promise<never> {
    const text = await this.page.locator('body').innerText();
    throw new Error(`${error.message}\n${this.page.url()} shows:\n${text}`, { cause: error });
  }

  /** Expects that assistive technology can use the page as it is: no violation of WCAG 2.2 AA or of good practice. */
  async expectAccessible(what: string): Promise<void> {
    expect(await violationsOf(this.page), what).toEqual([]);
  }

  /** Expects that nothing is wider than the window. */
  async expectNoSidewaysScrolling(what: string): Promise<void> {
    const excess = await this.page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(excess, what).toBeLessThanOrEqual(0);
  }

  /** Closes the window. @throws if its page had an error, or broke its own policy */
  async close(): Promise<void> {
    await this.#context.close();
    expect(this.#faults).toEqual([]);
  }
}
