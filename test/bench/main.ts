import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { closePeriod } from './rows/close-period.ts';
import { eventStoreDb } from './rows/eventstoredb.ts';
import { ingestBatches } from './rows/ingest-batches.ts';
import { ingestSingle } from './rows/ingest-single.ts';
import { logTree } from './rows/log-tree.ts';
import { probing } from './rows/probe.ts';
import { rebuild } from './rows/rebuild.ts';
import { snapshotStart } from './rows/snapshot-start.ts';
import { storeAppend } from './rows/store-append.ts';
import { usageAll } from './rows/usage-all.ts';
import { usageOne } from './rows/usage-one.ts';
import { Bench, type Row } from './support/bench.ts';
import { asTable, type Result } from './support/report.ts';
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
  eventStoreDb,
];

const USAGE = `npm run bench -- [options]
  --row 1,3       only these rows
  --full          the sizes that the goals name, instead of smaller ones
  --seconds N     how long one measurement of a rate goes on (2)
  --json          the figures as JSON
  --emmett DIR    folder in which @event-driven-io/emmett-postgresql@0.42.0 is installed
`;

const { values } = parseArgs({
  options: {
    row: { type: 'string' },
    full: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
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
    say(error.stack ?? error.message);
    stop(1);
  });
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const wanted = values.row?.split(',').map(Number);
  const options = { seconds: Number(values.seconds), full: values.full, emmett: values.emmett };
  try {
    const bench = new Bench(options, resources, await resources.folderOnDisk(), say);
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
    process.stdout.write(values.json ? `${JSON.stringify(results, undefined, 2)}\n` : asTable(results));
  } catch (error) {
    if (!resources.isReleased) throw error;
  } finally {
    await resources.release();
  }
}

if (values.help) process.stdout.write(USAGE);
else await main();
