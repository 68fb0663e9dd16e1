import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addStoreBackup } from './backup.ts';
import { addStoreCopy } from './copy.ts';
import { addStoreRebuild } from './rebuild.ts';
import { addStoreRestore } from './restore.ts';

/** Adds `store` and its subcommands. */
export function addStore(parent: Command, cli: CliContext): void {
  const group = parent
    .command('store')
    .description(
      'Backs up the store of a ledger, restores a backup, computes all answers from the log again, and copies a ledger to another store.',
    );
  for (const add of [addStoreBackup, addStoreRestore, addStoreRebuild, addStoreCopy]) add(group, cli);
}
