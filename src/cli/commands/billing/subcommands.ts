import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addBillingBegin } from './begin.ts';
import { addBillingShow } from './show.ts';

/** Adds `billing` and its subcommands. */
export function addBilling(parent: Command, cli: CliContext): void {
  const group = parent
    .command('billing')
    .description(
      'Chooses and shows the first period that has statements, for a platform that is older than its ledger.',
    );
  for (const add of [addBillingBegin, addBillingShow]) add(group, cli);
}
