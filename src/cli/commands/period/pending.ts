import type { Command } from 'commander';
import { PendingAdjustmentsOut } from '../../../api/statements.ts';
import { printsList } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { signed } from '../../render/figures.ts';

export function addPeriodPending(parent: Command, cli: CliContext): void {
  const command = parent
    .command('pending')
    .summary('list the adjustments that the next closing would make')
    .description(
      'Lists the adjustments of closed periods that the next closing would make, one line per account.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger period pending');
  printsList(command, cli, {
    request: () => ({ path: '/v1/adjustments' }),
    item: PendingAdjustmentsOut.shape.items.element,
    columns: [
      { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
      {
        title: 'ADJUSTMENTS',
        cell: ({ adjustments }) =>
          adjustments.map(({ period, delta }) => `${period}: ${signed(delta).clusterSeconds}`).join(', '),
      },
    ],
    noun: 'adjustment',
  });
}
