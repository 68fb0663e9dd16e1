import type { Command } from 'commander';
import { ProvedEvent } from '../../../api/proofs.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { eventIdOf, eventReference } from '../../client/event-reference.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withJson, withTarget } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

export function addEventsShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show a recorded fact')
    .description('Shows a recorded fact. With --json, includes the proof that it is in the signed log.')
    .argument('<event>', 'event id of the fact, or its position', eventReference)
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger events show 1806\n  $ cluster-ledger events show 7c2c6e5e-0d51-5b5a-9c1f-2f7b3f6a1c55 --json',
    )
    .action((reference: string, options: Options) =>
      withLedger(cli, options, async (client) => {
        const id = await eventIdOf(client, reference);
        await printAnswer(client, cli.out, options, { path: path`/v1/events/${id}` }, ProvedEvent, (event) =>
          cli.out.details([
            ['event id', event.ledgereventid],
            ['position', event.ledgerposition],
            ['type', event.type],
            ['cluster', event.subject],
            ['revision', event.ledgerrevision],
            ['effective at', event.time],
            ['recorded at', event.recordedtime],
            ['source', event.source],
            ['id', event.id],
            ['data', JSON.stringify(event.data)],
          ]),
        );
      }),
    );
  withJson(withTarget(command));
}
