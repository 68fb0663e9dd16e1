import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasChromium, pageForTest, sharedBrowser, whyNoChromium } from '../support/browser.ts';
import { registered } from '../support/cloud-events.ts';
import { type LedgerOptions, ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { requestWith } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

/** A page in a browser can send requests to the ledger, whatever the address of the ledger is. */

const APRIL = '2026-04-01T00:00:00.000Z';
const CLOSE = '/v1/periods/2026-04/close';
const run = promisify(execFile);

/** A ledger whose month of April can be closed. */
async function closable(options: LedgerOptions = {}): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now: '2026-05-10T00:00:00.000Z', ...options });
  await ledger.record(registered('c1', APRIL));
  return ledger;
}

async function isClosed(ledger: TestLedger): Promise<boolean> {
  return (await ledger.get('/v1/periods/2026-04/statements')).status === 200;
}

describe('a request that changes something', () => {
  const sent = async (
    ledger: TestLedger,
    headers: Record<string, string>,
    host = `127.0.0.1:${ledger.port}`,
  ) => {
    const message = { path: CLOSE, method: 'POST', headers: { host, ...headers } };
    const { status, body } = await requestWith(ledger.port, message);
    return { status, type: JSON.parse(body).type as string | undefined };
  };
  const refused = { status: 403, type: 'urn:cluster-ledger:problem:foreign-origin' };

  test.each([
    ['another site', { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site, in a browser that sends no Sec-Fetch-Site', { origin: 'http://evil.example' }],
    ['an opaque origin', { origin: 'null' }],
    ['no named origin of another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of the same site', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['no named origin of the same site', { 'sec-fetch-site': 'same-site' }],
    ['an origin that cannot be read', { origin: 'nonsense' }],
    ['two origins', { origin: 'http://127.0.0.1 http://evil.example' }],
  ])('is refused from a page of %s', async (_, headers) => {
    const ledger = await closable();
    expect(await sent(ledger, headers)).toEqual(refused);
    expect(await isClosed(ledger)).toBe(false);
  });

  test('is carried out for a page of the ledger, and for programs', async () => {
    for (const name of ['127.0.0.1', 'localhost'] as const) {
      const ledger = await closable();
      const host = `${name}:${ledger.port}`;
      const own = { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
      expect((await sent(ledger, own, host)).status).toBe(200);
    }
    const ledger = await closable();
    const url = `http://127.0.0.1:${ledger.port}${CLOSE}`;
    const { stdout } = await run('curl', ['-sS', '-X', 'POST', '-w', '%{http_code}', url]);
    expect(stdout).toMatch(/200$/);
    expect(await isClosed(ledger)).toBe(true);
  });

  test('is carried out for a page of an allowed origin, which may read the answer', async () => {
    const origins = '["https://console.example"]';
    const ledger = await closable({ environment: { LEDGER_HTTP_ALLOWED_ORIGINS: origins } });
    const headers = { origin: 'https://console.example', 'sec-fetch-site': 'cross-site' };
    expect(await sent(ledger, { ...headers, origin: 'https://evil.example' })).toEqual(refused);
    const { headers: answered } = await ledger.fetch(CLOSE, { method: 'POST', headers });
    expect(answered.get('access-control-allow-origin')).toBe('https://console.example');
    expect(await isClosed(ledger)).toBe(true);
  });

  test('needs JSON if it has a body, so that a form cannot send it', async () => {
    const ledger = await closable();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await ledger.fetch(CLOSE, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{}',
      });
      expect(answer.status, type).toBe(415);
    }
    expect(await isClosed(ledger)).toBe(false);
  });
});

test('a read is answered whatever page asks, and only allowed pages may read the answer', async () => {
  const ledger = await closable();
  const { status, headers } = await ledger.get('/v1/me', { origin: 'http://evil.example' });
  expect([status, headers.get('access-control-allow-origin')]).toEqual([200, null]);
});

describe.skipIf(!hasChromium)(`in Chromium${whyNoChromium}`, () => {
  const browser = sharedBrowser();

  /** Opens a page of another origin. */
  async function foreignPage(host = '127.0.0.1'): Promise<{ page: Page; origin: string }> {
    const server = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<!doctype html><p>hello'),
    );
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
    const page = await pageForTest(browser());
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await page.goto(origin);
    return { page, origin };
  }

  /** Scripts with which a page sends a POST without asking the server first. The answer is kept from the page, the request is not. */
  const ATTACKS: Readonly<Record<string, (url: string) => string>> = {
    'fetch without a body': (url) => `fetch('${url}', { method: 'POST', mode: 'no-cors' }).catch(() => {})`,
    'fetch of text': (url) =>
      `fetch('${url}', { method: 'POST', mode: 'no-cors', body: '{}' }).catch(() => {})`,
    sendBeacon: (url) => `navigator.sendBeacon('${url}')`,
    'a form': (url) =>
      `document.body.innerHTML = '<form method=post action="${url}">'; document.forms[0].submit()`,
    'a sandboxed frame, whose origin is null': (url) => `
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = "<script>fetch('${url}', { method: 'POST', mode: 'no-cors' })</" + "script>";
      document.body.append(frame)`,
  };

  test.each(Object.keys(ATTACKS))('a page of another origin cannot close a month by %s', async (attack) => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const ledger = await closable();
      const { page } = await foreignPage(host);
      const script = ATTACKS[attack]?.(`http://127.0.0.1:${ledger.port}${CLOSE}`);
      await page.evaluate(`void (() => { ${script} })()`);
      // The request arrived, and was refused.
      await until(async () =>
        (await ledger.get('/metrics')).text.includes('route="/v1/periods/:period/close"'),
      );
      const { text } = await ledger.get('/metrics');
      expect(text).toMatch(/route="\/v1\/periods\/:period\/close",status="403"/);
      expect(await isClosed(ledger)).toBe(false);
    }
  });

  test('a page of an allowed origin can post events and read the answer', async () => {
    const { page, origin } = await foreignPage('localhost');
    const environment = { LEDGER_HTTP_ALLOWED_ORIGINS: JSON.stringify([origin]) };
    const ledger = await closable({ environment });
    const post = (base: string) =>
      page.evaluate(
        async ([to, body]) => {
          const headers = { 'content-type': 'application/cloudevents+json' };
          const response = await fetch(`${to}/v1/events`, { method: 'POST', headers, body: body as string });
          return ((await response.json()) as { outcome: string }).outcome;
        },
        [base, JSON.stringify(registered('c2', APRIL))],
      );
    expect(await post(`http://127.0.0.1:${ledger.port}`)).toBe('appended');
    const other = await closable();
    await expect(post(`http://127.0.0.1:${other.port}`)).rejects.toThrow('Failed to fetch');
  });

  test('the documentation page works on plain HTTP, within its policy, and can send requests', async () => {
    const ledger = await closable();
    const page = await pageForTest(browser());
    const errors: string[] = [];
    const elsewhere: string[] = [];
    const base = `http://127.0.0.1:${ledger.port}`;
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on(
      'request',
      (request) => !/^(http:\/\/127|data:)/.test(request.url()) && elsewhere.push(request.url()),
    );
    const answer = await page.goto(`${base}/docs`);
    expect(answer?.headers()['content-security-policy']).not.toContain('upgrade-insecure-requests');
    await page.getByText('Post lifecycle events').first().waitFor();
    await page.getByText('Post lifecycle events').first().click();
    await page.getByText('Try it out').first().waitFor();
    expect(
      await page.evaluate((to) => fetch(to, { method: 'POST' }).then(({ status }) => status), CLOSE),
    ).toBe(200);
    expect({ errors, elsewhere }).toEqual({ errors: [], elsewhere: [] });
  });
});
