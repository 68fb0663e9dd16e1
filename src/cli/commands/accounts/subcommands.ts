import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addAccountsList } from './list.ts';
import { addAccountsSet } from './set.ts';
import { addAccountsShow } from './show.ts';

/** Adds `accounts` and its subcommands. */
export function addAccounts(parent: Command, cli: CliContext): void {
  const group = parent
    .command('accounts')
    .description('Lists and shows accounts with their limits, and sets their profiles.');
  for (const add of [addAccountsList, addAccountsShow, addAccountsSet]) add(group, cli);
}
