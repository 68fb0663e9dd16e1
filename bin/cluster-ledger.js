#!/usr/bin/env node
// Plain JavaScript that any Node.js reads: one that is too old for the program itself is told so.
import { readFileSync } from 'node:fs';

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
  await import('../src/cli/main.ts');
}
