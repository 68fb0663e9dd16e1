// Builds the bundle of the program if there is none of its sources, and removes those of former sources that no process uses. Without
// the packages for development, or if other packages are installed than package-lock.json names, it builds nothing, and the program
// runs from its sources.
import './check-node.js';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { BUNDLES, bundledName, bundleFolder, isUsed, ROOT } from './program-files.js';

/** The programs that people start. Most of what they load is one file, because each file takes time to find. */
const PROGRAMS = ['src/main.ts', 'src/cli/demo/demo-main.ts'];
/** Modules that a program gives to a thread or a process by their URL. They share no file with the programs, so they are small. */
const PARTS = [
  'src/eventstore/sqlite/writer.ts',
  'src/eventstore/sqlite/log-reader.ts',
  'src/audit/leaf-digest.ts',
  'src/audit/leaf-hash-worker.ts',
  'src/kubernetes/probe/prober-worker.ts',
];
/** Large packages that are loaded on demand, and that few ledgers need. */
const NOT_BUNDLED = /^(@eventstore\/db-client|@grpc\/grpc-js|@opentelemetry\/(?!api)|openid-client|jose)/;
/** Module with the folder of the package, for modules of the CommonJS form. */
const ROOT_MODULE = 'root-of-the-package';
const OWN_PATH =
  /new URL\('(?<entry>[^']+\.ts)', import\.meta\.url\)|import\.meta\.(?:url|dirname)|\b__dirname\b/g;

/**
 * Keeps the paths that modules compute from their own: those of entry points lead to the bundle, all others to the same file as before.
 * @param {string} folder of the bundle
 * @returns {import('rolldown').Plugin}
 */
function ownPaths(folder) {
  /** @param {string} from @param {string} to */
  const path = (from, to) => relative(from, to).replaceAll(sep, '/');
  return {
    name: 'own-paths',
    resolveId: { filter: { id: new RegExp(`^${ROOT_MODULE}$`) }, handler: () => `\0${ROOT_MODULE}` },
    load: {
      filter: { id: new RegExp(`^\0${ROOT_MODULE}$`) },
      handler: () => `export const ROOT = import.meta.dirname + '/${path(folder, ROOT)}';`,
    },
    transform: {
      filter: { id: /^[^\0]*\.[cm]?[jt]s$/, code: OWN_PATH },
      handler: (code, id) =>
        code.replaceAll(OWN_PATH, (found, entry) => {
          if (entry !== undefined) return `new URL('./${bundledName(entry)}', import.meta.url)`;
          if (found === 'import.meta.url') return `new URL('${path(folder, id)}', import.meta.url).href`;
          if (found === 'import.meta.dirname')
            return `(import.meta.dirname + '/${path(folder, dirname(id))}')`;
          return `(require('${ROOT_MODULE}').ROOT + '/${path(ROOT, dirname(id))}')`;
        }),
    },
  };
}

/**
 * Builds a bundle in another folder than its own.
 * @param {typeof import('rolldown')} rolldown
 * @param {string} folder that it is for
 * @param {string} fresh where it is built
 * @returns the modules in it
 */
async function build({ build }, folder, fresh) {
  const modules = [];
  for (const sources of [PROGRAMS, PARTS]) {
    const { output } = await build({
      cwd: ROOT,
      platform: 'node',
      input: Object.fromEntries(sources.map((source) => [bundledName(source), source])),
      external: NOT_BUNDLED,
      resolve: { symlinks: false },
      plugins: [ownPaths(folder)],
      output: {
        dir: fresh,
        entryFileNames: '[name]',
        chunkFileNames: '[name]-[hash].mjs',
        // The stacks of errors name its functions.
        minify: false,
        comments: false,
        codeSplitting: {
          groups: [
            { name: 'ledger', test: /\/src\/app\/compose\.ts$/ },
            // These ask for the line that they are called from. In a large file, that takes 2 % of a start.
            { name: 'deprecations', test: /\/node_modules\/(?:depd|http-errors)\//, priority: 1 },
          ],
        },
      },
    });
    for (const chunk of output) if (chunk.type === 'chunk') modules.push(...chunk.moduleIds);
  }
  return modules;
}

/**
 * Returns the folder of a package that is not installed in the version that package-lock.json names.
 * @param {readonly string[]} modules
 */
function differingPackage(modules) {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const folders = new Set(
    modules.map((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(relative(ROOT, id))?.[0] ?? ''),
  );
  return [...folders].find((folder) => {
    if (folder === '') return false;
    const { version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    return packages[folder]?.version !== version;
  });
}

/** @param {string} folder the bundle to keep */
function removeOthers(folder) {
  for (const name of readdirSync(BUNDLES)) {
    const other = join(BUNDLES, name);
    if (other !== folder && !isUsed(other)) rmSync(other, { recursive: true, force: true });
  }
}

async function main() {
  const folder = bundleFolder();
  if (existsSync(folder)) return;
  const rolldown = await import('rolldown').catch(() => undefined);
  if (rolldown === undefined) return;
  const fresh = join(BUNDLES, `building-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    const differing = differingPackage(await build(rolldown, folder, fresh));
    if (differing !== undefined) {
      process.stderr.write(
        `${differing} is not the version of package-lock.json. To start faster, run \`npm ci\`.\n`,
      );
      return;
    }
    // A source may have been changed in the meantime, and another process may have been faster.
    if (bundleFolder() === folder && !existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  removeOthers(folder);
}

await main();
