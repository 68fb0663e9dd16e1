import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { collect, withJson } from '../../terminal/options.ts';
import { type BackupOptions, withStoreHere } from './store-options.ts';

export function addStoreBackup(parent: Command, cli: CliContext): void {
  const command = parent
    .command('backup')
    .summary('back up a store to a file, also while a ledger runs on it')
    .description(
      'Backs up a store to a new file, also while a ledger writes to it. The backup is one file, and has every fact that was acknowledged before the command began. It is opened, its events are counted, and the root hash of its log is compared with every signed checkpoint; then the file gets its name. A file that exists is never overwritten. The signing key is not part of it.',
    )
    .requiredOption('--to <file>', 'file of the backup, which must not exist')
    .option(
      '--key <key|file>',
      'public key of the ledger, or a file with one per line, to verify the signatures; may be repeated',
      collect(),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger store backup --to /backup/ledger-2026-11-26.db\n  $ cluster-ledger store backup --store esdb://host:2113?tls=false --to ledger.db',
    )
    .action(async (options: BackupOptions) => (await import('./run-store.ts')).runBackup(cli, options));
  withJson(withStoreHere(command, 'back up'), 'print the result as JSON');
}
