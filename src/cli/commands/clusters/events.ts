import type { Command } from 'commander';
import { FactEventOut } from '../../../api/feed.ts';
import { printsList } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { FACT_COLUMNS } from '../../render/fact-columns.ts';
import { clusterId } from '../../terminal/options.ts';

export function addClustersEvents(parent: Command, cli: CliContext): void {
  const command = parent
    .command('events')
    .summary('list the facts of a cluster')
    .description('Lists every fact of a cluster in the order of recording, voided ones included.')
    .argument('<id>', 'id of the cluster', clusterId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger clusters events c1 -o wide');
  printsList(command, cli, {
    request: ([id = '']) => ({ path: path`/v1/clusters/${id}/events` }),
    item: FactEventOut,
    columns: FACT_COLUMNS,
    noun: 'fact',
  });
}
