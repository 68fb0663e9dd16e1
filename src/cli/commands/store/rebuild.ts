import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { withJson } from '../../terminal/options.ts';
import { type RebuildOptions, withStoreHere } from './store-options.ts';

export function addStoreRebuild(parent: Command, cli: CliContext): void {
  const command = parent
    .command('rebuild')
    .summary('compute all answers from the log again, and compare the snapshot')
    .description(
      'Computes all answers of a ledger that is stopped from its log alone, and compares them with the snapshot from which it starts. A snapshot that differs is moved to another name, so the next start replays the log. The store is only read. Exits with 3 if the snapshot differs.',
    )
    .option('--data-dir <folder>', 'folder with the snapshot (default: that of the settings here)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger store rebuild\n  $ cluster-ledger store rebuild --store sqlite:data/ledger.db --data-dir data',
    )
    .action(async (options: RebuildOptions) => (await import('./run-store.ts')).runRebuild(cli, options));
  withJson(withStoreHere(command, 'rebuild'), 'print the result as JSON');
}
