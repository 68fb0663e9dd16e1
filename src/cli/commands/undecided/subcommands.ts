import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addUndecidedLeave, addUndecidedStop } from './decide.ts';
import { addUndecidedList } from './list.ts';

/** Adds `undecided` and its subcommands. */
export function addUndecided(parent: Command, cli: CliContext): void {
  const group = parent
    .command('undecided')
    .description(
      'Lists the clusters that only a person can decide about, and stops or leaves many of them at once.',
    );
  for (const add of [addUndecidedList, addUndecidedStop, addUndecidedLeave]) add(group, cli);
}
