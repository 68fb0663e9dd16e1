import type { Command } from 'commander';
import { WebhookOut } from '../../../api/webhooks.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { webhookDetails } from '../../render/webhook-text.ts';
import { askWebhook } from './ask-webhook.ts';

export function addWebhooksShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show a webhook and where it stands')
    .description('Shows a webhook, up to where it was sent, and how many messages are outstanding or parked.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks show 5cf0…');
  askWebhook(command, cli, {
    request: (id) => ({ path: path`/v1/webhooks/${id}` }),
    schema: WebhookOut,
    show: (out, webhook) => out.details(webhookDetails(webhook)),
  });
}
