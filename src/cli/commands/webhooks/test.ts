import type { Command } from 'commander';
import { WebhookTestOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { fetchJson } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { CliError, EXIT } from '../../terminal/cli-error.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';
export function addWebhooksTest(parent: Command, cli: CliContext): void {
  const command = parent
    .command('test')
    .summary('send a test event to a webhook')
    .description(
      'Sends a test event to a webhook, once and at once. Exits with 3 if the receiver does not accept it.',
    )
    .argument('<id>', 'id of the webhook', webhookId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks test 5cf0…')
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, async (client) => {
        const request = { method: 'POST', path: path`/v1/webhooks/${id}/test` } as const;
        const answer = await fetchJson(client, request, WebhookTestOut);
        if (options.json === true) await cli.out.json(answer);
        else
          await cli.out.details([
            ['delivered', answer.delivered ? 'yes' : 'no'],
            ['status', answer.status],
            ['error', answer.error],
            ['duration', `${answer.durationMs} ms`],
          ]);
        if (!answer.delivered)
          throw new CliError(EXIT.checksFailed, 'the receiver did not accept the test event');
      }),
    );
  withJson(withServer(command));
}
