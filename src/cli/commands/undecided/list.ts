import type { Command } from 'commander';
import { UndecidedOut } from '../../../api/undecided.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withListFormats, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

export function addUndecidedList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list the clusters to decide on, with the evidence')
    .description(
      'Lists the billed clusters that the validator cannot decide about: never seen alive, not asked, no longer listed, or not confirmed.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger undecided list')
    .action((options: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const request = { path: '/v1/undecided' };
        const count = await printList(client, cli.out, options, request, UndecidedOut, [
          { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
          { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
          { title: 'WHY', cell: ({ why }) => why.join(', ') },
          { title: 'SEEN', cell: ({ code }) => code },
          { title: 'REGISTERED AT', isWide: true, cell: ({ registeredAt }) => registeredAt },
          { title: 'LAST ALIVE AT', cell: ({ lastAliveAt }) => lastAliveAt },
          { title: 'LEFT', cell: ({ isLeft }) => (isLeft ? 'yes' : undefined) },
          { title: 'DETAIL', isWide: true, cell: ({ detail }) => detail },
        ]);
        if (count === 0) printMessage('no clusters to decide on');
      }),
    );
  withListFormats(withServer(command), 'print one cluster per line as JSON (NDJSON)');
}
