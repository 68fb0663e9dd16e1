import type { Command } from 'commander';
import { RequestedDeliveriesOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';

export function addWebhooksReplay(parent: Command, cli: CliContext): void {
  const command = parent
    .command('replay')
    .summary('send all parked messages again')
    .description('Sends all parked messages of a webhook again.')
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks replay 5cf0…')
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) =>
        printAnswer(
          client,
          cli.out,
          options,
          { method: 'POST', path: path`/v1/webhooks/${id}/replay-parked` },
          RequestedDeliveriesOut,
          (answer) =>
            cli.out.details([
              ['webhook', answer.webhookId],
              ['messages to be sent', answer.messages],
            ]),
        ),
      ),
    );
  withJson(withServer(command));
}
