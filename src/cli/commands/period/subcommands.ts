import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addPeriodClose } from './close.ts';
import { addPeriodList } from './list.ts';
import { addPeriodPending } from './pending.ts';
import { addPeriodShow } from './show.ts';
import { addPeriodStatements } from './statements.ts';

/** Adds `period` and its subcommands. */
export function addPeriod(parent: Command, cli: CliContext): void {
  const group = parent
    .command('period')
    .description(
      'Lists, shows and closes billing periods, which are UTC months, and shows their statements.',
    );
  for (const add of [addPeriodList, addPeriodShow, addPeriodClose, addPeriodStatements, addPeriodPending])
    add(group, cli);
}
