import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { type FeedEvent, FeedPage } from '../../../api/feed.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import type { Client } from '../../client/client.ts';
import { feedPlace } from '../../client/event-reference.ts';
import { fetchJson, send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { FACT_COLUMNS } from '../../render/fact-columns.ts';
import { feedCursor, withListFormats, withTarget } from '../../terminal/options.ts';

type Event = z.output<typeof FeedEvent>;

const PAGE_SIZE = '1000';
const WAIT_S = '30';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly lines: number;
  readonly after?: string;
  readonly follow?: boolean;
}

export function addEventsTail(parent: Command, cli: CliContext): void {
  const command = parent
    .command('tail')
    .summary('show the newest facts, and follow new ones')
    .description('Shows the facts at the end of the log. With --follow, waits for new facts.')
    .option('-n, --lines <number>', 'number of log positions to go back', lines, 20)
    .option('--after <position>', 'start after this position instead; 0 is the start of the log', feedCursor)
    .option('-f, --follow', 'wait for new facts until Ctrl-C')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger events tail -f\n  $ cluster-ledger events tail --after 0 --json > facts.ndjson',
    )
    .action((options: Options) =>
      withLedger(cli, options, async (client) => {
        const printed = options.json ? cli.out.documents : printTable(cli);
        let after = options.after ?? (await positionBefore(client, options.lines));
        for (;;) {
          const query = { after, limit: PAGE_SIZE, wait: options.follow ? WAIT_S : undefined };
          const { events, next } = await fetchJson(client, { path: '/v1/feed', query }, FeedPage);
          if (events.length > 0) await printed(events);
          // A page of positions without facts, such as closings, is empty but moves `next` on.
          if (next === after && !options.follow) return;
          after = next;
        }
      }),
    );
  withListFormats(withTarget(command), 'print one CloudEvent per line (NDJSON)');
}

function lines(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 0 or more.');
}

/** Returns the position that is `count` before the end of the log. */
async function positionBefore(client: Client, count: number): Promise<string> {
  const { headers } = await send(client, { path: '/v1/accounts', query: { limit: '1' } });
  const position = Math.max(0, Number(headers.get('ledger-position')) - count);
  return feedPlace(client, position);
}

function printTable({ out }: CliContext) {
  return out.tables<Event>(FACT_COLUMNS);
}
