import type { Command } from 'commander';
import { CreatedWebhookOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookDetails } from '../../render/webhook-text.ts';
import { collect, position, withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly type?: readonly string[];
  readonly description?: string;
  readonly after?: string;
}

export function addWebhooksCreate(parent: Command, cli: CliContext): void {
  const command = parent
    .command('create')
    .summary('create a webhook and print its secret')
    .description(
      'Creates a webhook and prints the secret that signs its messages. The secret is not shown again.',
    )
    .argument('<url>', 'https URL of the receiver')
    .option(
      '--type <type>',
      'send only events of this type, or of a group such as io.clusterledger.alert.*; repeatable (default: all types)',
      collect(),
    )
    .option('--description <text>', 'note for people')
    .option(
      '--after <position>',
      'send the events after this log position (default: only new events)',
      position,
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger webhooks create https://billing.example.com/hooks --type io.clusterledger.billing.stopped.v1',
    )
    .action((url: string, { type: types, description, after, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        const body = { url, types, description, after };
        const request = { method: 'POST', path: '/v1/webhooks', body } as const;
        return printAnswer(client, cli.out, options, request, CreatedWebhookOut, ({ secret, ...webhook }) =>
          cli.out.details([...webhookDetails(webhook), ['secret', secret]]),
        );
      }),
    );
  withJson(withServer(command));
}
