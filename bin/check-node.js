// Ends the process with a clear message if Node.js is too old for the source. Plain JavaScript, so that any Node.js can
// read it. Every program of this folder loads it before the source.
import { readFileSync } from 'node:fs';

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
