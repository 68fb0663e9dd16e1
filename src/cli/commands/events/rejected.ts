import type { Command } from 'commander';
import { RejectedEventOut } from '../../../api/rejected-events.ts';
import { printsList } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';

export function addEventsRejected(parent: Command, cli: CliContext): void {
  const command = parent
    .command('rejected')
    .summary('list rejected events')
    .description('Lists the events that the ledger rejected and kept. They affect no bill.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger events rejected');
  printsList(command, cli, {
    request: () => ({ path: '/v1/rejected-events' }),
    item: RejectedEventOut,
    columns: [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
      { title: 'REJECTED AT', isWide: true, cell: ({ recordedAt }) => recordedAt },
      { title: 'WHY', cell: ({ problem }) => problem.type.replace(/^.*:/, '') },
      { title: 'TYPE', isWide: true, cell: ({ event }) => event.type },
      { title: 'DETAIL', isWide: true, cell: ({ problem }) => problem.detail },
    ],
    noun: 'rejected event',
  });
}
