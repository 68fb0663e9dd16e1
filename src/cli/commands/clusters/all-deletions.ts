import type { Command } from 'commander';
import { ListedDeletionOut } from '../../../api/deletions.ts';
import { printsList } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';

export function addClustersAllDeletions(parent: Command, cli: CliContext): void {
  const command = parent
    .command('all-deletions')
    .summary('list the deletions of all clusters')
    .description('Lists the deletions of all clusters, the latest first, and how far each is.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger clusters all-deletions');
  printsList(command, cli, {
    request: () => ({ path: '/v1/deletions' }),
    item: ListedDeletionOut,
    columns: [
      { title: 'DELETION', isName: true, cell: ({ deletionId }) => deletionId },
      { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'REQUESTED', isWide: true, cell: ({ requested }) => requested?.at },
      { title: 'BILLED UNTIL', isWide: true, cell: ({ deleted }) => deleted?.effectiveAt },
    ],
    noun: 'deletion',
  });
}
