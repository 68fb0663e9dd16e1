// Runs the program that the first argument names, after the console is built if it is missing or older than its sources. The build
// runs in a process of its own, so that a ledger keeps nothing of it. A start that needs no build has one process.
import './check-node.js';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isUpToDate } from './console-files.js';

if (!isUpToDate()) {
  const build = join(import.meta.dirname, 'build-console.js');
  const { status } = spawnSync(process.execPath, [build], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const [program = ''] = process.argv.splice(2, 1);
await import(pathToFileURL(resolve(program)).href);
