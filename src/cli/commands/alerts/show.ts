import type { Command } from 'commander';
import { AlertOut } from '../../../api/alerts.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';

export function addAlertsShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show an alert and what to do about it')
    .description('Shows an alert: what happened, what it means for the bill, and what to do next.')
    .argument('<id>', 'id of the alert')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger alerts show cluster-unreachable:c1');
  printsAnswer(command, cli, {
    request: ([id = '']) => ({ path: path`/v1/alerts/${id}` }),
    schema: AlertOut,
    show: (out, { acknowledged, ...alert }) =>
      out.details([
        ['alert', alert.id],
        ['severity', alert.severity],
        ['state', alert.state],
        ['cluster', alert.clusterId],
        ['account', alert.accountId],
        ['raised at', alert.raisedAt],
        ['resolved at', alert.resolvedAt],
        ['acknowledged', acknowledged && `${acknowledged.at} by ${acknowledged.by}`],
        ['note', acknowledged?.note],
        ['what happened', alert.happened],
        ['the bill', alert.bill],
        ['what to do', alert.next],
      ]),
    isRead: true,
  });
}
