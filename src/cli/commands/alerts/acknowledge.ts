import type { Command } from 'commander';
import { AlertOut } from '../../../api/alerts.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { instant, withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly note?: string;
  readonly until?: string;
}

export function addAlertsAcknowledge(parent: Command, cli: CliContext): void {
  const command = parent
    .command('acknowledge')
    .summary('acknowledge an alert')
    .description(
      'Acknowledges an alert: it is silent from then on, and is resolved when its cause is. Repeating the command changes nothing.',
    )
    .argument('<id>', 'id of the alert, <kind>:<subject>')
    .option('--note <text>', 'note to store with the alert')
    .option('--until <instant>', 'silence the alert until then (default: until it is resolved)', instant)
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger alerts acknowledge cluster-unreachable:c1 --note "asked the customer"',
    )
    .action((id: string, { note, until, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        const request = {
          method: 'POST',
          path: path`/v1/alerts/${id}/acknowledge`,
          body: { note, until },
        } as const;
        return printAnswer(client, cli.out, options, request, AlertOut, ({ acknowledged, ...alert }) =>
          cli.out.details([
            ['alert', alert.id],
            ['state', alert.state],
            ['severity', alert.severity],
            ['raised at', alert.raisedAt],
            ['acknowledged at', acknowledged?.at],
            ['by', acknowledged?.by],
            ['note', acknowledged?.note],
            ['silent until', acknowledged?.until],
            ['what happened', alert.happened],
            ['effect on the bill', alert.bill],
            ['what to do', alert.next],
          ]),
        );
      }),
    );
  withJson(withServer(command));
}
