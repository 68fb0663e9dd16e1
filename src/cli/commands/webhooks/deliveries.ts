import type { Command } from 'commander';
import { DeliveriesOut } from '../../../api/webhooks.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import type { Output } from '../../terminal/output.ts';
import { askWebhook } from './ask-webhook.ts';

export function addWebhooksDeliveries(parent: Command, cli: CliContext): void {
  const command = parent
    .command('deliveries')
    .summary('list the latest attempts and the parked messages')
    .description('Lists the latest attempts to send to a webhook, latest first, and its parked messages.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks deliveries 5cf0…');
  askWebhook(command, cli, {
    request: (id) => ({ path: path`/v1/webhooks/${id}/deliveries` }),
    schema: DeliveriesOut,
    show: printDeliveries,
  });
}

async function printDeliveries(out: Output, { attempts, parked }: DeliveriesOut): Promise<void> {
  await out.table(
    [
      { title: 'AT', cell: ({ at }) => at },
      { title: 'OUTCOME', cell: ({ outcome }) => outcome },
      { title: 'STATUS', cell: ({ status }) => status },
      { title: 'EVENT', cell: ({ eventId }) => eventId },
      { title: 'TYPE', isWide: true, cell: ({ type }) => type },
      { title: 'SUBJECT', isWide: true, cell: ({ subject }) => subject },
      { title: 'ERROR', isWide: true, cell: ({ error }) => error },
    ],
    attempts,
  );
  if (parked.length === 0) return;
  await out.line();
  await out.table(
    [
      { title: 'PARKED AT', cell: ({ parkedAt }) => parkedAt },
      { title: 'ATTEMPTS', isFigure: true, cell: ({ attempts: count }) => count },
      { title: 'EVENT', cell: ({ eventId }) => eventId },
      { title: 'ERROR', isWide: true, cell: ({ error }) => error },
    ],
    parked,
  );
}
