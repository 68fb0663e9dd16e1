import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addValidatorDecide } from './decide.ts';
import { addValidatorShow } from './show.ts';

/** Adds `validator` and its subcommands. */
export function addValidator(parent: Command, cli: CliContext): void {
  const group = parent
    .command('validator')
    .description('Shows the state of the validator, and decides whether an outage of many clusters is real.');
  for (const add of [addValidatorShow, addValidatorDecide]) add(group, cli);
}
