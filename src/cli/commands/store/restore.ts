import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { collect, withJson } from '../../terminal/options.ts';
import { type RestoreOptions, withStoreHere } from './store-options.ts';

export function addStoreRestore(parent: Command, cli: CliContext): void {
  const command = parent
    .command('restore')
    .summary('put a backup in the place of a store')
    .description(
      'Verifies a backup and puts it in the place of a store that no ledger uses. A new epoch begins: consumers of the feed that have read events that the backup lacks are answered `epoch-changed`, with where to continue. A store that is there is kept under another name, and only replaced with --replace. EventStoreDB must have no events in the namespace.',
    )
    .argument('<backup>', 'file of the backup')
    .option('--replace', 'replace the file of the store, and keep it under another name')
    .option(
      '--key <key|file>',
      'public key of the ledger, or a file with one per line, to verify the signatures; may be repeated',
      collect(),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger store restore /backup/ledger-2026-11-26.db\n  $ cluster-ledger store restore ledger.db --store sqlite:data/ledger.db --replace',
    )
    .action(async (backup: string, options: RestoreOptions) =>
      (await import('./run-store.ts')).runRestore(cli, backup, options),
    );
  withJson(withStoreHere(command, 'restore'), 'print the result as JSON');
}
