import type { Command } from 'commander';
import { OverviewOut } from '../../api/overview.ts';
import { printsAnswer } from '../client/ask.ts';
import type { CliContext } from '../client/cli-context.ts';

export function addOverview(parent: Command, cli: CliContext): void {
  const command = parent
    .command('overview')
    .description(
      'Shows how many clusters are in each state, the current month so far, open alerts, and periods that are due.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger overview');
  printsAnswer(command, cli, {
    request: () => ({ path: '/v1/overview' }),
    schema: OverviewOut,
    show: (out, { at, clusters, month, alerts, periods }) =>
      out.details([
        ['at', at],
        ...Object.entries(clusters).map(([status, count]) => [`clusters ${status}`, count] as const),
        ['period', month.period],
        ['cluster seconds so far', month.usage.clusterSeconds],
        ...(alerts === undefined
          ? []
          : ([
              ['critical alerts', alerts.critical],
              ['warnings', alerts.warning],
            ] as const)),
        ...(periods === undefined ? [] : ([['periods due', periods.due.join(', ') || 'none']] as const)),
      ]),
    isRead: false,
  });
}
