import type { Command } from 'commander';
import { WebhookOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookDetails } from '../../render/webhook-text.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';

export function addWebhooksShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show a webhook and where it stands')
    .description('Shows a webhook, up to where it was sent, and how many messages are outstanding or parked.')
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks show 5cf0…')
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) =>
        printAnswer(client, cli.out, options, { path: path`/v1/webhooks/${id}` }, WebhookOut, (answer) =>
          cli.out.details(webhookDetails(answer)),
        ),
      ),
    );
  withJson(withServer(command));
}
