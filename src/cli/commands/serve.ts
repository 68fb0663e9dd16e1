import type { Command } from 'commander';

export function addServe(parent: Command): void {
  parent
    .command('serve')
    .summary('run a ledger')
    .description(
      'Runs a ledger by ledger.yaml and the variables named LEDGER_…, until it is stopped: what npm start does. See docs/configuration.md.',
    )
    .addHelpText('after', '\nExample:\n  $ LEDGER_DATA_DIR=/var/lib/cluster-ledger cluster-ledger serve')
    .action(async () => {
      await import('../../main.ts');
    });
}
