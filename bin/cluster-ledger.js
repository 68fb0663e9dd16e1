#!/usr/bin/env node
// Plain JavaScript, so that a Node.js that is too old for the source can still say so.
import './check-node.js';

const [command, ...options] = process.argv.slice(2);
if (command === 'serve' && options.length === 0) {
  const { runProgram } = await import('./program-files.js');
  await runProgram('src/main.ts');
} else {
  // The other commands are short, and load so little that looking for a bundle would take longer.
  await import('./compile-cache.js');
  await import('../src/cli/cli.ts');
}
