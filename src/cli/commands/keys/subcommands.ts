import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addKeysCreate } from './create.ts';
import { addKeysList } from './list.ts';
import { addKeysRevoke } from './revoke.ts';
import { addKeysShow } from './show.ts';

/** Adds `keys` and its subcommands. */
export function addKeys(parent: Command, cli: CliContext): void {
  const group = parent
    .command('keys')
    .description('Creates, lists, shows and revokes the API keys of a ledger.');
  for (const add of [addKeysCreate, addKeysList, addKeysShow, addKeysRevoke]) add(group, cli);
}
