import type { Command } from 'commander';
import { RequestedDeliveriesOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { eventId, webhookId, withJson, withServer } from '../../terminal/options.ts';

export function addWebhooksRedeliver(parent: Command, cli: CliContext): void {
  const command = parent
    .command('redeliver')
    .summary('send an event again')
    .description(
      'Sends an event of the feed to a webhook again, whether it was delivered, parked or never sent.',
    )
    .argument('<id>', 'id of the webhook', webhookId)
    .argument('<event>', 'id of the event', eventId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks redeliver 5cf0… 34ed…')
    .action((id: string, event: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) => {
        const resource = path`/v1/webhooks/${id}/deliveries/${event}/redeliver`;
        const request = { method: 'POST', path: resource } as const;
        return printAnswer(client, cli.out, options, request, RequestedDeliveriesOut, (answer) =>
          cli.out.details([
            ['webhook', answer.webhookId],
            ['messages to be sent', answer.messages],
          ]),
        );
      }),
    );
  withJson(withServer(command));
}
