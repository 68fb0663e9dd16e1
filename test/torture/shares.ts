import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runChild } from './run-child.ts';

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
  return Promise.all(shares.map((share) => runChild<Report>(SHARE, share)));
}
