import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addAlertsAcknowledge } from './acknowledge.ts';
import { addAlertsList } from './list.ts';
import { addAlertsShow } from './show.ts';

/** Adds `alerts` and its subcommands. */
export function addAlerts(parent: Command, cli: CliContext): void {
  const group = parent
    .command('alerts')
    .description('Lists, shows and acknowledges alerts: problems that need attention.');
  for (const add of [addAlertsList, addAlertsShow, addAlertsAcknowledge]) add(group, cli);
}
