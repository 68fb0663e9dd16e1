import { spawnSync } from 'node:child_process';

/**
 * Returns the path of Chromium: `CHROMIUM_PATH`, or the one of the machine; `undefined` if there is none. The headless shell is
 * the same browser without a window, and takes half the processor time.
 */
export function chromiumPath(): string | undefined {
  // biome-ignore lint/style/noProcessEnv: the machine says where its browser is.
  const { CHROMIUM_PATH: configured } = process.env;
  if (configured !== undefined && configured !== '') return configured;
  return ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']
    .map((command) => spawnSync('which', [command], { encoding: 'utf8' }).stdout?.trim() ?? '')
    .find((path) => path !== '');
}
