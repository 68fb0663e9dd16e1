import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Builds the console if it is missing or older than its sources. @returns the folder of the built files */
export async function builtConsole(): Promise<string> {
  await run(process.execPath, ['bin/build-console.js'], { cwd: root });
  return join(root, 'dist/console');
}
