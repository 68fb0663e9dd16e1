import type { Command } from 'commander';
import { RotatedSecretOut } from '../../../api/webhooks.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { askWebhook } from './ask-webhook.ts';

export function addWebhooksRotateSecret(parent: Command, cli: CliContext): void {
  const command = parent
    .command('rotate-secret')
    .summary('replace the secret of a webhook')
    .description('Replaces the secret of a webhook and prints the new one. For 24 hours both secrets sign.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks rotate-secret 5cf0…');
  askWebhook(command, cli, {
    request: (id) => ({ method: 'POST', path: path`/v1/webhooks/${id}/rotate-secret` }),
    schema: RotatedSecretOut,
    show: (out, { webhookId, secret, formerSecretUntil }) =>
      out.details([
        ['webhook', webhookId],
        ['secret', secret],
        ['former secret signs until', formerSecretUntil],
      ]),
  });
}
