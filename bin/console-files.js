// Tells whether the console has to be built. Plain JavaScript, because the scripts of package.json run it before the ledger starts.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of the package. */
export const ROOT = join(import.meta.dirname, '..');
/** Folder of the built console. */
export const BUILT = join(ROOT, 'dist/console');

/** Returns when a file was changed, in milliseconds since the epoch; 0 if there is none. @param {string} file */
function changedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Returns when the console was built, in milliseconds since the epoch; 0 if it never was. */
export function builtAt() {
  return changedAt(join(BUILT, 'index.html'));
}

/** Returns whether the console was built after its sources were changed. An installation need not have the sources. */
export function isUpToDate() {
  const web = join(ROOT, 'web');
  const sources = existsSync(web) ? readdirSync(web, { recursive: true, encoding: 'utf8' }) : [];
  const files = [web, join(ROOT, 'package-lock.json'), ...sources.map((file) => join(web, file))];
  const built = builtAt();
  return files.every((file) => changedAt(file) <= built);
}
