import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { switchWebhook } from '../../client/switch-webhook.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';

export function addWebhooksEnable(parent: Command, cli: CliContext): void {
  const command = parent
    .command('enable')
    .summary('enable a webhook, which continues where it stopped')
    .description('Enables a webhook. It continues where it stopped: nothing is lost.')
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks enable 5cf0…')
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) => switchWebhook(client, cli.out, id, true, options)),
    );
  withJson(withServer(command));
}
