// Builds the console if it is missing or older than its sources. Plain JavaScript, because the scripts of package.json run it
// before the ledger starts. An installation without the packages for development has the built console already.
import './check-node.js';
import { globSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist/console');

/** Returns when a file was changed, in milliseconds since the epoch; 0 if there is none. @param {string} file */
function changedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function isUpToDate() {
  const sources = [...globSync('web/**', { cwd: root }), 'package-lock.json'];
  const newest = Math.max(...sources.map((file) => changedAt(join(root, file))));
  return changedAt(join(built, 'index.html')) >= newest;
}

/** @returns the function that builds; `undefined` if the packages for development are not installed. */
async function loadBuilder() {
  try {
    return (await import('vite')).build;
  } catch {
    return undefined;
  }
}

async function main() {
  const isForced = process.argv.includes('--force');
  if (!isForced && isUpToDate()) return;
  const build = await loadBuilder();
  if (build === undefined) {
    if (changedAt(join(built, 'index.html')) > 0) return;
    process.stderr.write(
      'The console is not built, and only the API is served. To build it, run `npm ci` without --omit=dev, then `npm run build`.\n',
    );
    return;
  }
  // Another process may serve the former build, or build at the same time.
  const fresh = `${built}.${process.pid}`;
  const configFile = join(root, 'web/vite.config.ts');
  // The tests set another value, with which React would be the build for development.
  // biome-ignore lint/style/noProcessEnv: Vite reads the variable.
  process.env.NODE_ENV = 'production';
  await build({ configFile, logLevel: 'warn', build: { outDir: fresh } });
  rmSync(built, { recursive: true, force: true });
  try {
    renameSync(fresh, built);
  } catch {
    // Another process was faster.
    rmSync(fresh, { recursive: true, force: true });
  }
}

await main();
