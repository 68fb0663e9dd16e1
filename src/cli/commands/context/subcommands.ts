import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addContextList } from './list.ts';
import { addContextRemove } from './remove.ts';
import { addContextSet } from './set.ts';
import { addContextUse } from './use.ts';

/** Adds `context` and its subcommands. */
export function addContext(parent: Command, cli: CliContext): void {
  const group = parent
    .command('context')
    .description('Saves the URLs and tokens of ledgers under names, and selects one.');
  for (const add of [addContextSet, addContextUse, addContextList, addContextRemove]) add(group, cli);
}
