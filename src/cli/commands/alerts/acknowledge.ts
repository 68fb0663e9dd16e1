import type { Command } from 'commander';
import { AlertOut } from '../../../api/alerts.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly note?: string;
}

export function addAlertsAcknowledge(parent: Command, cli: CliContext): void {
  const command = parent
    .command('acknowledge')
    .summary('say that somebody has seen an alert')
    .description(
      'Says that somebody has seen an alert: it is silent from then on, and resolved once what it is about is. Again changes nothing.',
    )
    .argument('<id>', 'its kind and its subject, with a colon')
    .option('--note <text>', 'what is to be remembered with it')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger alerts acknowledge cluster-unreachable:c1 --note "the customer is asked"',
    )
    .action((id: string, { note, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        const request = { method: 'POST', path: path`/v1/alerts/${id}/acknowledge`, body: { note } } as const;
        return printAnswer(client, cli.out, options, request, AlertOut, ({ acknowledged, ...alert }) =>
          cli.out.details([
            ['alert', alert.id],
            ['state', alert.state],
            ['severity', alert.severity],
            ['raised at', alert.raisedAt],
            ['acknowledged at', acknowledged?.at],
            ['by', acknowledged?.by],
            ['note', acknowledged?.note],
            ['what happened', alert.happened],
            ['the bill', alert.bill],
            ['what to do', alert.next],
          ]),
        );
      }),
    );
  withJson(withServer(command));
}
