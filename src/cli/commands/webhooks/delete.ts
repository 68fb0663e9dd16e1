import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookId, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';
export function addWebhooksDelete(parent: Command, cli: CliContext): void {
  const command = parent
    .command('delete')
    .summary('delete a webhook')
    .description(
      'Deletes a webhook. Messages that were not delivered are not sent any more; the feed still has them.',
    )
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks delete 5cf0…')
    .action((id: string, options: TargetOptions) =>
      withRunningLedger(cli, options, async (client) => {
        await send(client, { method: 'DELETE', path: path`/v1/webhooks/${id}` });
        printMessage(`webhook ${id} is deleted`);
      }),
    );
  withServer(command);
}
