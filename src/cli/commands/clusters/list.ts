import { type Command, InvalidArgumentError, Option } from 'commander';
import { CLUSTER_ORDERS, ClusterOut } from '../../../api/clusters.ts';
import { CLUSTER_STATUSES } from '../../../domain/billing/cluster-status.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { accountId, withListFormats, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly account?: string;
  readonly status?: string;
  readonly billable?: string;
  readonly type?: string;
  readonly labels?: readonly string[];
  readonly q?: string;
  readonly sort?: string;
}

export function addClustersList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list clusters')
    .description('Lists the clusters that the ledger has facts about, by default sorted by id.')
    .option('--account <id>', 'only clusters of this account', accountId)
    .addOption(
      new Option(
        '--status <status>',
        `only clusters with this status: ${CLUSTER_STATUSES.join(', ')}`,
      ).choices(CLUSTER_STATUSES),
    )
    .addOption(
      new Option(
        '--billable <true|false>',
        'only clusters that are billable now, or only those that are not',
      ).choices(['true', 'false']),
    )
    .option('--type <type>', 'only clusters of this type, such as workload')
    .option(
      '-l, --labels <key=value>',
      'only clusters with this label; repeatable, or several separated by commas',
      labels,
    )
    .option('--q <text>', 'only clusters with this text in their id or name')
    .addOption(
      new Option(
        '--sort <order>',
        `the order: ${CLUSTER_ORDERS.join(', ')}; with - from the greatest to the least`,
      ).choices(CLUSTER_ORDERS),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger clusters list --account acme --status billed\n  $ cluster-ledger clusters list --q staging --json\n  $ cluster-ledger clusters list --type workload --status billed\n  $ cluster-ledger clusters list --billable false --sort -registeredAt',
    )
    .action(({ account, status, billable, type, labels: selector, q, sort, ...options }: Options) =>
      withLedger(cli, options, async (client) => {
        const request = {
          path: '/v1/clusters',
          query: {
            accountId: account,
            status,
            billable,
            clusterType: type,
            labels: selector?.join(','),
            q,
            sort,
          },
        };
        const count = await printList(client, cli.out, options, request, ClusterOut, [
          { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'ACCOUNT', cell: (cluster) => cluster.accountId },
          { title: 'STATUS', cell: (cluster) => cluster.status },
          { title: 'STOPPED BY', isWide: true, cell: ({ stoppedBy }) => stoppedBy.join(', ') || undefined },
          { title: 'BILLED SINCE', cell: ({ billedSince }) => billedSince },
          { title: 'REGISTERED AT', isWide: true, cell: ({ registeredAt }) => registeredAt },
          { title: 'DELETED AT', isWide: true, cell: ({ deletedAt }) => deletedAt },
        ]);
        if (count === 0) printMessage('no clusters found');
      }),
    );
  withListFormats(withTarget(command), 'print one cluster per line as JSON (NDJSON)');
}

function labels(text: string, earlier: readonly string[] = []): readonly string[] {
  if (/^[^=,]+=[^,]*(?:,[^=,]+=[^,]*)*$/.test(text)) return [...earlier, text];
  throw new InvalidArgumentError('It must be <key>=<value>, such as team=payments.');
}
