import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { withJson } from '../../terminal/options.ts';
import type { CopyOptions } from './store-options.ts';

export function addStoreCopy(parent: Command, cli: CliContext): void {
  const command = parent
    .command('copy')
    .summary('copy a ledger to another store')
    .description(
      'Copies a ledger that no process uses from one store to another, event for event, with the same ids, contents, times, revisions and positions. Then reads the copy and compares the root hashes of both logs, so cursors, watermarks, statements and evidence hold on. An interrupted copy is continued by the same command. A target with other events is refused.',
    )
    .requiredOption('--from <store>', 'store to copy: sqlite:<file> or esdb://…')
    .requiredOption('--to <store>', 'empty store, or one with an interrupted copy')
    .option('--from-namespace <name>', 'stream prefix in the source (default: ledger)')
    .option('--to-namespace <name>', 'stream prefix in the target (default: ledger)')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger store copy --from sqlite:data/ledger.db --to esdb://host:2113?tls=false',
    )
    .action(async (options: CopyOptions) => (await import('./run-store.ts')).runCopy(cli, options));
  withJson(command, 'print the result as JSON');
}
