import type { Command } from 'commander';
import { z } from 'zod';
import { FeedEvent } from '../../api/feed.ts';
import { AmountsOut, UsageOut } from '../../api/usage.ts';
import { factTypeOf } from '../../domain/facts/cloud-event.ts';
import { type CliContext, withLedger } from '../client/cli-context.ts';
import { path } from '../client/client.ts';
import { linesOf } from '../client/ndjson.ts';
import { printBody, send } from '../client/requests.ts';
import { amountColumns, signed } from '../render/figures.ts';
import {
  accountId,
  type WindowOptions,
  windowQuery,
  withAsOf,
  withJson,
  withTarget,
  withWindow,
} from '../terminal/options.ts';

const Line = z.object({
  position: z.string(),
  fact: FeedEvent,
  usage: UsageOut,
  delta: AmountsOut,
});
type Line = z.output<typeof Line>;

export function addReplay(parent: Command, cli: CliContext): void {
  const command = parent
    .command('replay')
    .description(
      'Replays the facts of all clusters that were ever registered to an account, in the order of recording, and shows the usage of the window after each.',
    )
    .argument('<account>', 'id of the account', accountId)
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger replay acme --period 2026-03\n  $ cluster-ledger replay acme --period 2026-03 --json | tail -n 1',
    )
    .action((account: string, options: WindowOptions) => {
      const query = { ...windowQuery(options), asOf: options.asOf };
      const request = { path: path`/v1/accounts/${account}/replay`, query, accept: 'application/x-ndjson' };
      return withLedger(cli, options, async (client) => {
        const response = await send(client, request);
        if (options.json) return printBody(client, cli.out, response);
        const print = cli.out.tables<Line>([
          { title: 'POSITION', isFigure: true, cell: ({ position }) => position },
          { title: 'RECORDED AT', isWide: true, cell: ({ fact }) => fact.recordedtime },
          { title: 'EFFECTIVE AT', isWide: true, cell: ({ fact }) => fact.time },
          { title: 'FACT', cell: ({ fact }) => factTypeOf(fact.type) ?? fact.type },
          { title: 'CLUSTER', cell: ({ fact }) => fact.subject },
          { title: 'EVENT ID', isWide: true, cell: ({ fact }) => fact.ledgereventid },
          ...amountColumns<Line>('DELTA', ({ delta }) => delta, signed),
          ...amountColumns<Line>('', ({ usage }) => usage),
        ]);
        for await (const lines of linesOf(client, response, Line)) await print(lines);
      });
    });
  withJson(withTarget(withAsOf(withWindow(command))), "print the ledger's NDJSON unchanged");
}
