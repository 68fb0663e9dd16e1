import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs a module in a process of its own, with one argument as JSON.
 * @returns the message that it sends. @throws if it ends without one
 */
export async function runChild<Report>(module: string, argument: object): Promise<Report> {
  // Each ledger starts threads, and most of the time of a start is the compilation of what they import.
  const env = { PATH: '', TMPDIR: tmpdir(), NODE_COMPILE_CACHE: join(tmpdir(), 'torture-compile-cache') };
  const child = fork(module, [JSON.stringify(argument)], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let report: Report | undefined;
  child.on('message', (message) => {
    report = message as Report;
  });
  const [code] = await once(child, 'exit');
  if (report === undefined) throw new Error(`${module} ${JSON.stringify(argument)} ended with ${code}`);
  return report;
}
