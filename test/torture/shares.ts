import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHARE = fileURLToPath(new URL('./share.ts', import.meta.url));

/** The work of a process: `run` of a module, with a seed of its own and a part of the cases. */
export interface Share {
  readonly module: string;
  readonly run: string;
  readonly seed: number;
  readonly count: number;
}

/**
 * Divides the cases of a harness among as many processes as the machine has processors. The first one gets the seed, the next one
 * the seed after it, and so on. @returns the report of each. @throws if one of them ends without a report
 */
export function inShares<Report>(
  module: URL,
  run: string,
  { seed, count }: { readonly seed: number; readonly count: number },
): Promise<Report[]> {
  const processes = Math.min(availableParallelism(), count);
  const shares = Array.from({ length: processes }, (_, i) => ({
    module: module.href,
    run,
    seed: seed + i,
    count: Math.floor((count + i) / processes),
  }));
  return Promise.all(shares.map((share) => reportOf<Report>(share)));
}

async function reportOf<Report>(share: Share): Promise<Report> {
  // Each ledger starts threads, and most of the time of a start is the compilation of what they import.
  const env = { PATH: '', TMPDIR: tmpdir(), NODE_COMPILE_CACHE: join(tmpdir(), 'torture-compile-cache') };
  const child = fork(SHARE, [JSON.stringify(share)], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let report: Report | undefined;
  child.on('message', (message) => {
    report = message as Report;
  });
  const [code] = await once(child, 'exit');
  if (report === undefined) throw new Error(`the process of seed ${share.seed} ended with ${code}`);
  return report;
}
