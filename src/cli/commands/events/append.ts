import type { Command } from 'commander';
import { z } from 'zod';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { fetchJson } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { EXIT } from '../../terminal/cli-error.ts';
import { readEvents } from '../../terminal/input.ts';
import { withJson, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';
import type { Column } from '../../terminal/table.ts';

const Result = z.looseObject({
  outcome: z.string(),
  eventId: z.string().optional(),
  clusterId: z.string().optional(),
  position: z.string().nullable().optional(),
  problem: z.object({ title: z.string(), detail: z.string() }).optional(),
});
type Result = z.output<typeof Result>;
const Results = z.object({ results: z.array(Result) });

/** What a batch may have. */
const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

interface Options extends TargetOptions {
  readonly json?: boolean;
}

export function addEventsAppend(parent: Command, cli: CliContext): void {
  const command = parent
    .command('append')
    .summary('post facts from a file')
    .description(
      'Posts CloudEvents, in order. Doing it again changes nothing: what was recorded before is a duplicate. Exits with 1 where one was refused.',
    )
    .argument('<file>', 'CloudEvents in JSON, one, an array, or one on each line; - for the standard input')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger events append facts.ndjson')
    .action(async (file: string, options: Options) => {
      const events = await readEvents(file);
      await withRunningLedger(cli, options, async (client) => {
        const print = options.json ? printJson(cli) : cli.out.tables(COLUMNS);
        const tally = new Map<string, number>();
        for (const batch of splitIntoBatches(events)) {
          const { results } = await fetchJson(
            client,
            {
              method: 'POST',
              path: '/v1/events',
              body: batch,
              mediaType: 'application/cloudevents-batch+json',
            },
            Results,
          );
          await print(results);
          for (const { outcome } of results) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
        }
        printMessage(
          [...tally].map(([outcome, count]) => `${count} ${outcome}`).join(', ') || 'there are no events',
        );
        if (tally.has('rejected')) process.exitCode = EXIT.failed;
      });
    });
  withJson(withServer(command), 'print a line of JSON for each result (NDJSON)');
}

const COLUMNS: readonly Column<Result>[] = [
  { title: 'OUTCOME', cell: ({ outcome }) => outcome },
  { title: 'POSITION', isFigure: true, cell: ({ position }) => position },
  { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
  { title: 'EVENT ID', cell: ({ eventId }) => eventId },
  {
    title: 'WHY',
    cell: ({ problem }) => (problem === undefined ? '' : `${problem.title}: ${problem.detail}`),
  },
];

function printJson({ out }: CliContext) {
  return (results: readonly Result[]) =>
    out.write(results.map((result) => `${JSON.stringify(result)}\n`).join(''));
}

/** The events in order, as many at a time as the ledger takes. */
function* splitIntoBatches(events: readonly unknown[]): Generator<unknown[]> {
  let batch: unknown[] = [];
  let bytes = 2;
  for (const event of events) {
    const more = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (batch.length > 0 && (batch.length === MAX_EVENTS || bytes + more > MAX_BYTES)) {
      yield batch;
      batch = [];
      bytes = 2;
    }
    batch.push(event);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
