import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addValidationsList } from './list.ts';
import { addValidationsShow } from './show.ts';

/** Adds `validations` and its subcommands. */
export function addValidations(parent: Command, cli: CliContext): void {
  const group = parent
    .command('validations')
    .description('Lists the runs of the validator, and shows what one found and recorded.');
  for (const add of [addValidationsList, addValidationsShow]) add(group, cli);
}
