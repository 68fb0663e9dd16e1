import type { Command } from 'commander';
import { WebhookOut } from '../../../api/webhooks.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withListFormats, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';
export function addWebhooksList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list webhooks')
    .description('Lists the webhooks, oldest first, with where each stands.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger webhooks list')
    .action((options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, async (client) => {
        const count = await printList(client, cli.out, options, { path: '/v1/webhooks' }, WebhookOut, [
          { title: 'ID', cell: ({ webhookId }) => webhookId },
          { title: 'STATE', cell: ({ state }) => state },
          { title: 'OUTSTANDING', isFigure: true, cell: ({ delivery }) => delivery.outstanding },
          { title: 'PARKED', isFigure: true, cell: ({ delivery }) => delivery.parked },
          { title: 'FAILING SINCE', isWide: true, cell: ({ delivery }) => delivery.failingSince },
          { title: 'URL', isWide: true, cell: ({ url }) => url },
        ]);
        if (count === 0) printMessage('no webhooks found');
      }),
    );
  withListFormats(withServer(command), 'print one webhook per line as JSON (NDJSON)');
}
