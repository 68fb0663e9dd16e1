import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { switchWebhook } from '../../client/switch-webhook.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';

export function addWebhooksDisable(parent: Command, cli: CliContext): void {
  const command = parent
    .command('disable')
    .summary('disable a webhook: nothing is sent to it any more')
    .description('Disables a webhook. Events wait in the log until it is enabled again.')
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks disable 5cf0…')
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) => switchWebhook(client, cli.out, id, false, options)),
    );
  withJson(withServer(command));
}
