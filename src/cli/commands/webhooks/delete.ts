import type { Command } from 'commander';
import { WebhookOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { fetchJson, send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { confirm } from '../../terminal/confirm.ts';
import { webhookId, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';
import { plural } from '../../terminal/text.ts';

interface Options extends TargetOptions {
  readonly yes?: boolean;
}

export function addWebhooksDelete(parent: Command, cli: CliContext): void {
  const command = parent
    .command('delete')
    .summary('delete a webhook')
    .description(
      'Deletes a webhook. Messages that were not delivered are not sent any more; the feed still has them.',
    )
    .argument('<id>', 'id of the webhook', webhookId)
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks delete 5cf0… --yes')
    .action((id: string, options: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const address = path`/v1/webhooks/${id}`;
        const question = async () => {
          const { url, delivery } = await fetchJson(client, { path: address }, WebhookOut);
          const waiting = delivery.outstanding + delivery.parked;
          return `Delete the webhook to ${url} permanently (${plural(waiting, 'message')} not delivered yet)?`;
        };
        if (!(await confirm(options, question))) return;
        await send(client, { method: 'DELETE', path: address });
        printMessage(`webhook ${id} is deleted`);
      }),
    );
  withServer(command);
}
