// Runs a program from its bundle: what it loads from src/ and from packages, in a few files, which takes half of the time. The folder of
// a bundle is named after the content of its sources. So it exists if and only if it is up to date, and a build changes nothing for a
// process that runs from another one. Plain JavaScript, because it runs before any source.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as module from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Folder of the package. */
export const ROOT = join(import.meta.dirname, '..');
/** Folder with a folder for each bundle. */
export const BUNDLES = join(ROOT, 'dist/program');
/** Name of a file in the folder of a bundle that a process runs from, or of a folder in which a process builds one. */
const NOTE = /^(?:used-by|building)-(\d+)$/;

/** Returns the sources in a folder. Takes half of the time of `recursive`. @param {string} folder @returns {string[]} */
function sourcesIn(folder) {
  return readdirSync(join(ROOT, folder))
    .sort()
    .flatMap((name) => (name.endsWith('.ts') ? `${folder}/${name}` : sourcesIn(`${folder}/${name}`)));
}

/** Returns the folder for the bundle of the sources as they are now. */
export function bundleFolder() {
  const files = [
    'package-lock.json',
    'bin/build-program.js',
    ...sourcesIn('src'),
    ...sourcesIn('packages/client/src'),
  ];
  const content = createHash('sha256');
  for (const file of files) content.update(`${file}\0${readFileSync(`${ROOT}/${file}`, 'utf8')}`);
  return join(BUNDLES, content.digest('hex').slice(0, 16));
}

/** Returns the name that an entry point has in a bundle. @param {string} source */
export function bundledName(source) {
  return `${basename(source, '.ts')}.mjs`;
}

/**
 * Runs a program from its bundle or, if it has none that is up to date, from its source.
 * @param {string} source path from the folder of the package
 * @param {() => void} [build] called if there is no bundle that is up to date
 */
export async function runProgram(source, build) {
  let folder = bundleFolder();
  if (build !== undefined && !existsSync(folder)) {
    build();
    folder = bundleFolder();
  }
  const file = join(folder, bundledName(source));
  if (existsSync(file)) {
    noteUse(folder);
    // Code that is compiled already halves the start again. If the folder is not writable, nothing is kept.
    module.enableCompileCache(join(folder, 'compiled'));
    await import(pathToFileURL(file).href);
  } else {
    await import('./compile-cache.js');
    await import(pathToFileURL(join(ROOT, source)).href);
  }
}

/** Notes that this process uses the files of a bundle until it ends. @param {string} folder */
function noteUse(folder) {
  const note = join(folder, `used-by-${process.pid}`);
  try {
    writeFileSync(note, '');
    process.once('exit', () => rmSync(note, { force: true }));
  } catch {
    // The folder is not writable, so nobody removes it.
  }
}

/** Returns whether a process runs from a bundle, or builds it. @param {string} folder */
export function isUsed(folder) {
  return [basename(folder), ...readdirSync(folder)].some((name) => isAlive(Number(NOTE.exec(name)?.[1])));
}

/** @param {number} pid */
function isAlive(pid) {
  if (Number.isNaN(pid)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
