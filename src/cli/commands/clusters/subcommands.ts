import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addClustersAllDeletions } from './all-deletions.ts';
import { addClustersCancelDeletion } from './cancel-deletion.ts';
import { addClustersDelete } from './delete.ts';
import { addClustersDeletion } from './deletion.ts';
import { addClustersDeletions } from './deletions.ts';
import { addClustersEvents } from './events.ts';
import { addClustersList } from './list.ts';
import { addClustersRegister } from './register.ts';
import { addClustersShow } from './show.ts';
import { addClustersResume, addClustersStop } from './stop-and-resume.ts';
import { addClustersTransfer } from './transfer.ts';

/** Adds `clusters` and its subcommands. */
export function addClusters(parent: Command, cli: CliContext): void {
  const group = parent
    .command('clusters')
    .description(
      'Lists clusters, shows the state, billed intervals and facts of one, and registers, stops, resumes, transfers and deletes clusters.',
    );
  for (const add of [
    addClustersList,
    addClustersShow,
    addClustersEvents,
    addClustersRegister,
    addClustersStop,
    addClustersResume,
    addClustersTransfer,
    addClustersDelete,
    addClustersDeletions,
    addClustersDeletion,
    addClustersAllDeletions,
    addClustersCancelDeletion,
  ])
    add(group, cli);
}
