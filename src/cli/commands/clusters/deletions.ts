import type { Command } from 'commander';
import { DeletionOut } from '../../../api/deletions.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { clusterId, withListFormats, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

export function addClustersDeletions(parent: Command, cli: CliContext): void {
  const command = parent
    .command('deletions')
    .summary('list the deletions of a cluster and how far each is')
    .description(
      'Lists the deletions of a cluster, latest first: requested, confirmed, deprovisioning, billing-stopped, verified-gone; or cancelled, failed or stuck.',
    )
    .argument('<cluster>', 'id of the cluster', clusterId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger clusters deletions c1')
    .action((cluster: string, options: TargetOptions & { readonly json?: boolean }) =>
      withLedger(cli, options, async (client) => {
        const request = { path: path`/v1/clusters/${cluster}/deletions` };
        const count = await printList(client, cli.out, options, request, DeletionOut, [
          { title: 'DELETION', cell: ({ deletionId }) => deletionId },
          { title: 'STATE', cell: ({ state }) => state },
          { title: 'REQUESTED', isWide: true, cell: ({ requested }) => requested?.at },
          { title: 'CONFIRMED', isWide: true, cell: ({ confirmed }) => confirmed?.at },
          { title: 'BILLED UNTIL', cell: ({ deleted }) => deleted?.effectiveAt },
        ]);
        if (count === 0) printMessage('no deletions found');
      }),
    );
  withListFormats(withTarget(command), 'print one deletion per line as JSON (NDJSON)');
}
