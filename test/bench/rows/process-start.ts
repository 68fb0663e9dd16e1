import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, Row } from '../support/bench.ts';
import { searchPath } from '../support/environment.ts';
import { type Contender, interleaved, milliseconds, type Sample } from '../support/measure.ts';
import { type Result, sooner } from '../support/report.ts';
import { end } from '../support/resources.ts';

const HERE = fileURLToPath(new URL('../../../', import.meta.url));
const NO_BEFORE = 'there is no earlier state to compare with: name a checkout with --before';
/** At most 0.45 of the time of before. */
const TIMES = 1 / 0.45;

/**
 * Row 16: from the start of the process to the first answer that it is ready, on an empty store; and the help of the command line.
 * The peer is an earlier state in a checkout with its packages. The floor is Node.js that does nothing.
 */
export const processStart: Row = {
  number: 16,
  async run(bench) {
    const { before } = bench.options;
    const trees = [['ours', HERE], ...(before === undefined ? [] : [['before', before]])] as [
      string,
      string,
    ][];
    const bare: Contender = {
      name: 'bare Node.js',
      measure: () => milliseconds(() => ended(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }))),
    };
    const starts = trees.map(([name, tree]) => ({ name, measure: () => readyAfter(bench, tree) }));
    const helps = trees.map(([name, tree]) => ({
      name,
      measure: () => milliseconds(() => ended(help(tree))),
    }));
    return [
      await compared(bench, { row: '16', work: 'npm start to /readyz, an empty store' }, [...starts, bare]),
      await compared(bench, { row: '16a', work: 'cluster-ledger --help' }, [...helps, bare]),
    ];
  },
};

async function compared(
  bench: Bench,
  row: Pick<Result, 'row' | 'work'>,
  contenders: readonly Contender[],
): Promise<Result> {
  const measured = await interleaved(contenders, 2 * bench.rounds, bench);
  const [ours, floor] = [measured[0], measured.at(-1)];
  if (ours === undefined) throw new Error('nothing was measured');
  const before = measured.length === 3 ? measured[1] : undefined;
  return {
    ...row,
    unit: 'ms',
    ours,
    floor,
    peers: before === undefined ? [] : [before],
    verdicts: before === undefined ? [] : [sooner(ours, before, Number(TIMES.toFixed(2)))],
    notes: before === undefined ? [NO_BEFORE] : [],
  };
}

function help(tree: string): ChildProcess {
  return spawn(process.execPath, ['bin/cluster-ledger.js', '--help'], { cwd: tree, stdio: 'ignore' });
}

async function ended(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`a process of the benchmark ended with code ${code}`);
}

/** Starts a ledger as people do, and asks it until it is ready. */
async function readyAfter(bench: Bench, tree: string): Promise<Sample> {
  const env = {
    PATH: searchPath,
    LEDGER_HTTP_PORT: '0',
    LEDGER_DATA_DIR: await bench.newFolder('start'),
  };
  const start = performance.now();
  const child = spawn('npm', ['start', '--silent'], {
    cwd: tree,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const stop = async () => {
    await end(child);
    endRest(child);
  };
  bench.resources.onRelease(stop);
  const lines = createInterface({ input: child.stdout });
  let url: string | undefined;
  for await (const line of lines) {
    url = /listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  while ((await fetch(`${url}/readyz`)).status !== 200) await wait(2);
  const value = performance.now() - start;
  await stop();
  return { value };
}

/** Ends the processes of a group that outlive its leader: `npm` of an earlier state leaves its ledger behind. */
function endRest({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid as number));
  } catch {
    // There are none.
  }
}
