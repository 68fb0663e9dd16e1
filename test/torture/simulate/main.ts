import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { PLANTS, type Plant } from './plants.ts';
import { type RunReport, runSeed } from './run-seed.ts';

interface Share {
  readonly seed: number;
  readonly count: number;
  /** Distance from one seed to the next. */
  readonly step: number;
  readonly plant: Plant | undefined;
}

type Sums = Record<string, number>;
interface ShareReport {
  readonly sums: Sums;
  readonly failed: readonly { readonly seed: number; readonly findings: readonly string[] }[];
}

const MAX_SHOWN = 5;
/** Number of seeds below which a second thread takes longer to start than it saves. */
const SEEDS_PER_THREAD = 100;

/** Runs the seeds on all processors, and returns the exit code: 1 if any of them found something. */
export async function simulate(
  args: readonly string[],
  out: Pick<NodeJS.WritableStream, 'write'>,
): Promise<number> {
  const { seed, count, plant } = optionsOf(args);
  const workers = count < SEEDS_PER_THREAD ? 1 : availableParallelism();
  const reports = await Promise.all(
    Array.from({ length: workers }, (_, i) =>
      runShare({ seed: seed + i, count: Math.ceil((count - i) / workers), step: workers, plant }),
    ),
  );
  const total = (name: string) => reports.reduce((sum, { sums }) => sum + (sums[name] ?? 0), 0);
  const failed = reports.flatMap((report) => report.failed).sort((a, b) => a.seed - b.seed);
  out.write(
    `seeds ${seed} to ${seed + count - 1}: ${total('commands')} commands, ${total('events')} events, ` +
      `${total('crashes')} crashes, ${total('cuts')} cuts of the network, ${total('lostRequests')} lost requests, ` +
      `${total('lostReplies')} lost replies, ${total('failedReads')} failed reads, ${total('conflicts')} conflicts; ` +
      `${failed.length} seeds with findings\n`,
  );
  for (const { seed: failing, findings } of failed.slice(0, MAX_SHOWN))
    for (const finding of findings.slice(0, MAX_SHOWN))
      out.write(`  --seed ${failing} --count 1: ${finding}\n`);
  return failed.length === 0 ? 0 : 1;
}

function optionsOf(args: readonly string[]) {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seed: text('1'), count: text('1000'), plant: { type: 'string' } },
  });
  const plant = PLANTS.find((name) => name === values.plant);
  if (values.plant !== undefined && plant === undefined)
    throw new Error(`--plant ${values.plant} is unknown; it must be ${PLANTS.join(', ')}`);
  return { seed: Number(values.seed), count: Number(values.count), plant };
}

function runShare(share: Share): Promise<ShareReport> {
  const worker = new Worker(new URL(import.meta.url), { workerData: share });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function work({ seed, count, step, plant }: Share): Promise<ShareReport> {
  const sums: Sums = {};
  const failed: ShareReport['failed'][number][] = [];
  // The faults are errors, many of them, and nobody reads where they come from.
  Error.stackTraceLimit = 0;
  for (let i = 0; i < count; i++) {
    const { findings, ...numbers }: RunReport = await runSeed(seed + i * step, plant);
    for (const [name, number] of Object.entries(numbers)) sums[name] = (sums[name] ?? 0) + number;
    if (findings.length > 0) failed.push({ seed: seed + i * step, findings });
  }
  return { sums, failed };
}

if (!isMainThread && parentPort !== null && workerData !== null) {
  parentPort.postMessage(await work(workerData as Share));
  process.exit(0);
}
