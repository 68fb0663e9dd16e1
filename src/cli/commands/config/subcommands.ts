import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addConfigPrint } from './print.ts';

/** Adds `config` and its subcommands. */
export function addConfig(parent: Command, cli: CliContext): void {
  const group = parent
    .command('config')
    .description('Prints the settings that a ledger started here would use.');
  for (const add of [addConfigPrint]) add(group, cli);
}
