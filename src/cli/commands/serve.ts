import type { Command } from 'commander';

export function addServe(parent: Command): void {
  parent
    .command('serve')
    .description(
      'Runs the ledger until it is stopped. Settings come from ledger.yaml and variables LEDGER_…; see docs/configuration.md. The same as npm start.',
    )
    .addHelpText('after', '\nExample:\n  $ LEDGER_DATA_DIR=/var/lib/cluster-ledger cluster-ledger serve')
    .action(async () => {
      await import('../../main.ts');
    });
}
