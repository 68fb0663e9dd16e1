// Builds the console if it is missing or older than its sources. Plain JavaScript, because the scripts of package.json run it
// before the ledger starts. An installation without the packages for development has the built console already.
import './check-node.js';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT, builtAt, isUpToDate, ROOT } from './console-files.js';

/** @returns the function that builds; `undefined` if the packages for development are not installed. */
async function loadBuilder() {
  try {
    return (await import('vite')).build;
  } catch {
    return undefined;
  }
}

/**
 * Puts freshly built files in the place of the former ones. They are missing for no longer than a rename takes: a page that is being
 * loaded would have no styles without them.
 * @param {string} fresh
 */
function replaceBy(fresh) {
  const former = `${fresh}.former`;
  try {
    renameSync(BUILT, former);
  } catch {
    // There are none, or another process replaces them at this moment.
  }
  try {
    renameSync(fresh, BUILT);
  } catch {
    // Another process was faster.
    rmSync(fresh, { recursive: true, force: true });
  }
  rmSync(former, { recursive: true, force: true });
}

async function main() {
  const isForced = process.argv.includes('--force');
  if (!isForced && isUpToDate()) return;
  const build = await loadBuilder();
  if (build === undefined) {
    if (builtAt() > 0) return;
    process.stderr.write(
      'The console is not built, and only the API is served. To build it, run `npm ci` without --omit=dev, then `npm run build`.\n',
    );
    return;
  }
  // Another process may serve the former build, or build at the same time.
  const fresh = `${BUILT}.${process.pid}`;
  const configFile = join(ROOT, 'web/vite.config.ts');
  // The tests set another value, with which React would be the build for development.
  // biome-ignore lint/style/noProcessEnv: Vite reads the variable.
  process.env.NODE_ENV = 'production';
  await build({ configFile, logLevel: 'warn', build: { outDir: fresh } });
  // Another process may have been faster. What it built is served already, and a page may be loading it.
  if (!isForced && isUpToDate()) rmSync(fresh, { recursive: true, force: true });
  else replaceBy(fresh);
}

await main();
