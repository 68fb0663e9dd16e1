// Runs the program whose source the first argument names, after the console and the bundle of the program are built if they are missing
// or older than their sources. Each build runs in a process of its own, so that a ledger keeps nothing of it. A start that needs no build
// has one process.
import './check-node.js';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { isUpToDate } from './console-files.js';
import { runProgram } from './program-files.js';

/** @param {string} script */
function build(script) {
  return spawnSync(process.execPath, [join(import.meta.dirname, script)], { stdio: 'inherit' }).status;
}

if (!isUpToDate()) {
  const status = build('build-console.js');
  if (status !== 0) process.exit(status ?? 1);
}
const [program = ''] = process.argv.splice(2, 1);
await runProgram(program, () => void build('build-program.js'));
