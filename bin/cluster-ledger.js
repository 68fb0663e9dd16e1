#!/usr/bin/env node
// Plain JavaScript that any Node.js reads: one that is too old for the program itself is told so.
import { readFileSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const wanted = engines.node.replace('>=', '');

/** @param {string} version */
function weight(version) {
  return version.split('.').reduce((sum, part) => sum * 1_000 + Number.parseInt(part, 10), 0);
}

if (weight(process.versions.node) < weight(wanted)) {
  process.stderr.write(
    `cluster-ledger needs Node.js ${wanted} or later; this is ${process.versions.node} (${process.execPath}).\n` +
      'In a checkout, after `npm ci`, `npx cluster-ledger` runs it on the one that comes with the packages.\n',
  );
  process.exitCode = 1;
} else {
  // It starts in half the time where what Node.js compiles can be kept beside the packages; elsewhere nothing is kept.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/cluster-ledger', import.meta.url)));
  await import('../src/cli/cli.ts');
}
