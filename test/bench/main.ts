import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { growthTable, measureGrowth } from './growth.ts';
import { closePeriod } from './rows/close-period.ts';
import { eventStoreDb } from './rows/eventstoredb.ts';
import { ingestBatches } from './rows/ingest-batches.ts';
import { ingestSingle } from './rows/ingest-single.ts';
import { lateFacts } from './rows/late-facts.ts';
import { logTree } from './rows/log-tree.ts';
import { memory } from './rows/memory.ts';
import { probing } from './rows/probe.ts';
import { processStart } from './rows/process-start.ts';
import { rebuild } from './rows/rebuild.ts';
import { serverSentEvents } from './rows/server-sent-events.ts';
import { snapshotStart } from './rows/snapshot-start.ts';
import { storeAppend } from './rows/store-append.ts';
import { usageAll } from './rows/usage-all.ts';
import { usageByDay } from './rows/usage-by-day.ts';
import { usageOne } from './rows/usage-one.ts';
import { Bench, type Row } from './support/bench.ts';
import { profileText } from './support/profile.ts';
import { Profiler } from './support/profiler.ts';
import { asTable, onlyJudged, type Result, shortfalls, withShortfall } from './support/report.ts';
import { Resources } from './support/resources.ts';

const ROWS: readonly Row[] = [
  ingestSingle,
  ingestBatches,
  storeAppend,
  rebuild,
  snapshotStart,
  logTree,
  usageOne,
  usageAll,
  closePeriod,
  probing,
  serverSentEvents,
  eventStoreDb,
  memory,
  lateFacts,
  usageByDay,
  processStart,
];

const USAGE = `npm run bench -- [options]
  --row 1,3       only these rows
  --full          the sizes that the goals name, instead of smaller ones
  --seconds N     how long one measurement of a rate goes on (2)
  --json          print the figures as JSON
  --out FILE      also write them to this file (dist/bench.json)
  --profile       also what the ledger does and waits for in each row whose goal is not met; profiles for the developer tools of
                  Chrome are written beside the file
  --growth        how the CPU of the ledger grows with the log, instead of the rows
  --before DIR    checkout of an earlier state with its packages, to compare the start with (row 16)

Exit codes: 0 all goals are met, 1 some are not, 2 some could not be judged because the machine was not quiet.
  --emmett DIR    folder in which @event-driven-io/emmett-postgresql@0.42.0 is installed
`;

const { values } = parseArgs({
  options: {
    row: { type: 'string' },
    full: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    out: { type: 'string', default: 'dist/bench.json' },
    profile: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    before: { type: 'string' },
    emmett: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** Measures the goals of docs/performance.md; each goal is a ratio, so that any machine can check it. */
async function main(): Promise<void> {
  const resources = new Resources();
  const stop = (code: number) => void resources.release().then(() => process.exit(code));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop(130));
  process.on('uncaughtException', (error) => {
    // If nobody reads the output any more, each text is an error again.
    if (!resources.isReleased) say(error.stack ?? error.message);
    stop(1);
  });
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const wanted = values.row?.split(',').map(Number);
  const { full, emmett, before } = values;
  const options = { seconds: Number(values.seconds), full, emmett, before };
  try {
    const bench = new Bench(options, resources, await resources.folderOnDisk(), {
      say,
      profiler: values.profile ? new Profiler() : undefined,
    });
    const results: Result[] = [];
    const load = loadavg()[0]?.toFixed(1);
    say(
      `${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, load before the start ${load}`,
    );
    for (const row of ROWS) {
      if (wanted !== undefined && !wanted.includes(row.number)) continue;
      say(`row ${row.number}`);
      results.push(...(await row.run(bench)));
    }
    await report(onlyJudged(results), say);
  } catch (error) {
    if (!resources.isReleased) throw error;
  } finally {
    await resources.release();
  }
}

/** Prints the results, writes them to a file, and sets the exit code. */
async function report(results: readonly Result[], say: (text: string) => void): Promise<void> {
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
    platform: platform(),
  };
  const withoutRaw = (key: string, value: unknown) => (key === 'raw' ? undefined : value);
  const json = `${JSON.stringify({ at: new Date().toISOString(), machine, results }, withoutRaw, 2)}\n`;
  process.stdout.write(values.json ? json : asTable(results));
  await mkdir(dirname(values.out), { recursive: true });
  await writeFile(values.out, json);
  say(`written to ${values.out}`);
  for (const { row, work, ours } of withShortfall(results)) {
    if (ours.profile === undefined) continue;
    const file = join(dirname(values.out), `bench-row-${row}.cpuprofile`);
    await writeFile(file, JSON.stringify(ours.profile.raw));
    say([`row ${row}, ${work}: ${file}`, ...profileText(ours.profile)].join('\n'));
  }
  const { notMet, notJudged } = shortfalls(results);
  for (const line of notMet) say(`NOT MET: ${line}`);
  for (const line of notJudged) say(`NOT JUDGED: ${line}`);
  if (notMet.length > 0) process.exitCode = 1;
  else if (notJudged.length > 0) process.exitCode = 2;
}

if (values.help) process.stdout.write(USAGE);
else if (values.growth) {
  const growth = await measureGrowth(values.full, (text) => void process.stderr.write(`${text}\n`));
  process.stdout.write(values.json ? `${JSON.stringify(growth, undefined, 2)}\n` : growthTable(growth));
} else await main();
