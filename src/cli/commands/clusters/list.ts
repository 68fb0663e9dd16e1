import { type Command, Option } from 'commander';
import { ClusterOut } from '../../../api/clusters.ts';
import { CLUSTER_STATUSES } from '../../../domain/billing/cluster-status.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { accountId, withJson, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly account?: string;
  readonly status?: string;
  readonly q?: string;
}

export function addClustersList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('the clusters that the ledger has a fact of')
    .description('Lists the clusters that the ledger has a fact of, by their ids.')
    .option('--account <id>', 'only those of one account', accountId)
    .addOption(
      new Option('--status <status>', `only those: ${CLUSTER_STATUSES.join(', ')}`).choices(CLUSTER_STATUSES),
    )
    .option('--q <text>', 'only those with this in their id or name')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger clusters list --account acme --status billed\n  $ cluster-ledger clusters list --q staging --json',
    )
    .action(({ account, status, q, ...options }: Options) =>
      withLedger(cli, options, async (client) => {
        const request = { path: '/v1/clusters', query: { accountId: account, status, q } };
        const count = await printList(client, cli.out, options, request, ClusterOut, [
          { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'ACCOUNT', cell: (cluster) => cluster.accountId },
          { title: 'STATUS', cell: (cluster) => cluster.status },
          { title: 'STOPPED BY', cell: ({ stoppedBy }) => stoppedBy.join(', ') || undefined },
          { title: 'BILLED SINCE', cell: ({ billedSince }) => billedSince },
          { title: 'REGISTERED AT', cell: ({ registeredAt }) => registeredAt },
          { title: 'DELETED AT', cell: ({ deletedAt }) => deletedAt },
        ]);
        if (count === 0) printMessage('there is no such cluster');
      }),
    );
  withJson(withTarget(command), 'print a cluster on each line as JSON');
}
