import type { Command } from 'commander';
import { RequestedDeliveriesOut } from '../../../api/webhooks.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { askWebhook } from './ask-webhook.ts';

export function addWebhooksReplay(parent: Command, cli: CliContext): void {
  const command = parent
    .command('replay')
    .summary('send all parked messages again')
    .description('Sends all parked messages of a webhook again.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks replay 5cf0…');
  askWebhook(command, cli, {
    request: (id) => ({ method: 'POST', path: path`/v1/webhooks/${id}/replay-parked` }),
    schema: RequestedDeliveriesOut,
    show: (out, { webhookId, messages }) =>
      out.details([
        ['webhook', webhookId],
        ['messages to be sent', messages],
      ]),
  });
}
