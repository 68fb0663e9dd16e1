import type { Command } from 'commander';
import type { z } from 'zod';
import { BatchResultOut } from '../../../api/events.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { fetchJson } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { EXIT } from '../../terminal/cli-error.ts';
import { readEvents } from '../../terminal/input.ts';
import { withListFormats, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';
import type { Column } from '../../terminal/table.ts';

type Result = z.output<typeof BatchResultOut>['results'][number];

/** Limits of the ledger for a batch. */
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
      'Posts CloudEvents in order. Posting the same file again is safe: events recorded before are duplicates. Exits with 1 if an event is rejected.',
    )
    .argument('<file>', 'CloudEvents as JSON: one, an array, or one per line (NDJSON); - for stdin')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger events append facts.ndjson')
    .action(async (file: string, options: Options) => {
      const events = await readEvents(file);
      await withRunningLedger(cli, options, async (client) => {
        const print = options.json ? cli.out.documents : cli.out.tables(COLUMNS);
        const tally = new Map<string, number>();
        for (const batch of splitIntoBatches(events)) {
          const { results } = await fetchJson(
            client,
            {
              method: 'POST',
              path: '/v1/events',
              body: batch,
              mediaType: 'application/cloudevents-batch+json',
              isRepeatable: true,
            },
            BatchResultOut,
          );
          await print(results);
          for (const { outcome } of results) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
        }
        printMessage(
          [...tally].map(([outcome, count]) => `${count} ${outcome}`).join(', ') ||
            'the file contains no events',
        );
        if (tally.has('rejected')) process.exitCode = EXIT.failed;
      });
    });
  withListFormats(withServer(command), 'print one result per line as JSON (NDJSON)');
}

const COLUMNS: readonly Column<Result>[] = [
  { title: 'OUTCOME', cell: ({ outcome }) => outcome },
  { title: 'POSITION', isFigure: true, cell: (result) => recorded(result)?.position },
  { title: 'CLUSTER', cell: (result) => recorded(result)?.clusterId },
  { title: 'EVENT ID', cell: (result) => recorded(result)?.eventId },
  {
    title: 'WHY',
    cell: (result) =>
      result.outcome === 'rejected' ? `${result.problem.title}: ${result.problem.detail}` : '',
  },
];

function recorded(result: Result): Exclude<Result, { outcome: 'rejected' }> | undefined {
  return result.outcome === 'rejected' ? undefined : result;
}

/** Splits events into batches within the limits of the ledger, in order. */
function* splitIntoBatches(events: readonly unknown[]): Generator<unknown[]> {
  let batch: unknown[] = [];
  let bytes = 2;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (batch.length > 0 && (batch.length === MAX_EVENTS || bytes + size > MAX_BYTES)) {
      yield batch;
      batch = [];
      bytes = 2;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
