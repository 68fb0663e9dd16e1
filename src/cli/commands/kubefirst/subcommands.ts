import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addKubefirstShow } from './show.ts';
import { addKubefirstUsage } from './usage.ts';

/** Adds `kubefirst` and its subcommands. */
export function addKubefirst(parent: Command, cli: CliContext): void {
  const group = parent
    .command('kubefirst')
    .description('Shows what Kubefirst reports, and the usage in the form that its billing page reads.');
  for (const add of [addKubefirstShow, addKubefirstUsage]) add(group, cli);
}
