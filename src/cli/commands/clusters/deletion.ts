import type { Command } from 'commander';
import { DeletionOut } from '../../../api/deletions.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { deletionDetails } from '../../render/deletion-text.ts';
import { clusterId } from '../../terminal/options.ts';

export function addClustersDeletion(parent: Command, cli: CliContext): void {
  const command = parent
    .command('deletion')
    .summary('show how far a deletion is')
    .description('Shows one deletion of a cluster: each step that it has taken, when, and by whom.')
    .argument('<cluster>', 'id of the cluster', clusterId)
    .argument('<deletion>', 'id of the deletion')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger clusters deletion c1 deletion-7');
  printsAnswer(command, cli, {
    request: ([cluster = '', deletion = '']) => ({
      path: path`/v1/clusters/${cluster}/deletions/${deletion}`,
    }),
    schema: DeletionOut,
    show: (out, deletion) => out.details(deletionDetails(deletion)),
    isRead: true,
  });
}
