import { spawnSync } from 'node:child_process';

/** Returns the path of Chromium: `CHROMIUM_PATH`, or the one of the machine; `undefined` if there is none. */
export function chromiumPath(): string | undefined {
  // biome-ignore lint/style/noProcessEnv: the machine says where its browser is.
  const { CHROMIUM_PATH: configured } = process.env;
  if (configured !== undefined && configured !== '') return configured;
  return ['chromium', 'chromium-browser', 'google-chrome']
    .map((command) => spawnSync('which', [command], { encoding: 'utf8' }).stdout?.trim() ?? '')
    .find((path) => path !== '');
}
