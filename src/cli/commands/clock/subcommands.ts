import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addClockShow } from './show.ts';
import { addClockTrust } from './trust.ts';

/** Adds `clock` and its subcommands. */
export function addClock(parent: Command, cli: CliContext): void {
  const group = parent
    .command('clock')
    .description(
      'Shows whether the ledger trusts its clock, and confirms the time after the alert clock-untrusted.',
    );
  for (const add of [addClockShow, addClockTrust]) add(group, cli);
}
