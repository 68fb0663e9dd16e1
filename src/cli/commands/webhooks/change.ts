import type { Command } from 'commander';
import { WebhookOut } from '../../../api/webhooks.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { fetchJson } from '../../client/requests.ts';
import { webhookDetails } from '../../render/webhook-text.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { collect, webhookId } from '../../terminal/options.ts';

interface Options {
  readonly to?: string;
  readonly type?: readonly string[];
  readonly allTypes?: boolean;
  readonly description?: string;
}

export function addWebhooksChange(parent: Command, cli: CliContext): void {
  const command = parent
    .command('change')
    .summary('change the receiver, the types or the note of a webhook')
    .description(
      'Changes a webhook. What is not given stays as it is, and no event is sent twice or skipped.',
    )
    .argument('<id>', 'id of the webhook', webhookId)
    .option('--to <url>', 'https URL of the receiver')
    .option(
      '--type <type>',
      'send only events of this type, or of a group such as io.clusterledger.alert.*; repeatable',
      collect(),
    )
    .option('--all-types', 'send events of all types')
    .option('--description <text>', 'note for people')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger webhooks change 5cf0… --to https://billing.example.com/ledger',
    );
  printsAnswer(command, cli, {
    request: async ([id = ''], { to, type, allTypes = false, description }: Options, client) => {
      if (to === undefined && type === undefined && !allTypes && description === undefined)
        throw usageError('no change given: pass --to, --type, --all-types or --description');
      if (type !== undefined && allTypes) throw usageError('--type and --all-types cannot be used together');
      const resource = path`/v1/webhooks/${id}`;
      const before = await fetchJson(client, { path: resource }, WebhookOut);
      const body = {
        url: to ?? before.url,
        description: description ?? before.description,
        types: allTypes ? [] : (type ?? before.types),
        enabled: before.state === 'enabled',
      };
      return { method: 'PUT', path: resource, body, isRepeatable: true };
    },
    schema: WebhookOut,
    show: (out, webhook) => out.details(webhookDetails(webhook)),
    isRead: false,
  });
}
