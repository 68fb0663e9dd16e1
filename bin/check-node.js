// Ends the process with a clear message if Node.js is too old for the source. Plain JavaScript, so that any Node.js can
// read it. The scripts of package.json load it before the source.
import { readFileSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const required = engines.node.replace('>=', '');

/** @param {string} version */
function weight(version) {
  return version.split('.').reduce((sum, part) => sum * 1_000 + Number.parseInt(part, 10), 0);
}

if (weight(process.versions.node) < weight(required)) {
  process.stderr.write(
    `cluster-ledger needs Node.js ${required} or later; this is ${process.versions.node} (${process.execPath}). ` +
      'Run `npm ci` without --omit=dev and --ignore-scripts, which installs the right version for `npm` and `npx` ' +
      'commands, or install it yourself.\n',
  );
  process.exit(1);
}

// Keeping the compiled code beside the packages halves the start. If the folder is not writable, nothing is kept.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/cluster-ledger', import.meta.url)));
