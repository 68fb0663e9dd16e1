import type { Command } from 'commander';
import { RotatedSecretOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';

export function addWebhooksRotateSecret(parent: Command, cli: CliContext): void {
  const command = parent
    .command('rotate-secret')
    .summary('replace the secret of a webhook')
    .description('Replaces the secret of a webhook and prints the new one. For 24 hours both secrets sign.')
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks rotate-secret 5cf0…')
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) =>
        printAnswer(
          client,
          cli.out,
          options,
          { method: 'POST', path: path`/v1/webhooks/${id}/rotate-secret` },
          RotatedSecretOut,
          (answer) =>
            cli.out.details([
              ['webhook', answer.webhookId],
              ['secret', answer.secret],
              ['former secret signs until', answer.formerSecretUntil],
            ]),
        ),
      ),
    );
  withJson(withServer(command));
}
