/** Takes the pictures of README and docs: `npm run screenshots`. Needs Chromium; `CHROMIUM_PATH` names another one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../support/chromium-path.ts';
import { freePorts } from '../../support/eventstored.ts';
import { until } from '../../support/until.ts';

const root = join(import.meta.dirname, '../../..');
const IMAGES = join(root, 'docs/images');
const SIZE = { width: 1280, height: 800 };

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly scheme?: 'dark';
  readonly ready: (page: Page) => Promise<unknown>;
}

/** Starts the demo on an empty folder, and takes each picture of it. */
async function main(): Promise<void> {
  const executablePath = chromiumPath();
  if (executablePath === undefined)
    throw new Error('Chromium is not installed; set CHROMIUM_PATH to its program');
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-screenshots-'));
  const [port] = (await freePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const environment = { PATH: '', LEDGER_DATA_DIR: dataDir, LEDGER_HTTP_PORT: String(port) };
  const demo = spawn(process.execPath, ['src/cli/demo/demo-main.ts'], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200);
    await until(async () => {
      const runs = await fetch(`${url}/v1/validations`);
      return /"state":"completed"/.test(await runs.text());
    });
    await mkdir(IMAGES, { recursive: true });
    for (const { name, path, scheme = 'light', ready } of await picturesOf(url)) {
      const context = await browser.newContext({
        viewport: SIZE,
        colorScheme: scheme,
        locale: 'en-US',
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      await page.goto(url + path);
      await ready(page);
      await page.screenshot({ path: join(IMAGES, `${name}.png`) });
      await context.close();
    }
  } finally {
    await browser.close();
    const exited = once(demo, 'exit');
    demo.kill('SIGTERM');
    await exited;
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function picturesOf(url: string): Promise<readonly Picture[]> {
  const stopped = (await (await fetch(`${url}/v1/clusters?status=stopped&limit=1`)).json()) as {
    readonly items: readonly { readonly clusterId: string }[];
  };
  const chart = (page: Page) => page.locator('.chart-bar').first().waitFor();
  return [
    { name: 'overview', path: '/', ready: chart },
    { name: 'overview-dark', path: '/', scheme: 'dark', ready: chart },
    {
      name: 'clusters',
      path: '/clusters?status=billed',
      ready: (page) => page.getByRole('row').nth(5).waitFor(),
    },
    {
      name: 'cluster',
      path: `/clusters/${stopped.items[0]?.clusterId}`,
      ready: (page) => page.getByRole('row').nth(2).waitFor(),
    },
    { name: 'deletions', path: '/deletions', ready: (page) => page.getByRole('article').first().waitFor() },
  ];
}

await main();
