import type { Command } from 'commander';
import { AccountOut } from '../../../api/accounts.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { limitText } from '../../render/account-text.ts';
import { withListFormats, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

export function addAccountsList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list accounts')
    .description('Lists the accounts that own a cluster or have a profile, sorted by id.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger accounts list')
    .action((options: TargetOptions & { readonly json?: boolean }) =>
      withLedger(cli, options, async (client) => {
        const count = await printList(client, cli.out, options, { path: '/v1/accounts' }, AccountOut, [
          { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'CLUSTERS', isFigure: true, cell: ({ clusters }) => clusters },
          { title: 'BILLED NOW', isFigure: true, cell: ({ billedNow }) => billedNow },
          { title: 'LIMITS', cell: ({ limitUse = [] }) => limitUse.map(limitText).join(', ') || undefined },
        ]);
        if (count === 0) printMessage('no accounts found');
      }),
    );
  withListFormats(withTarget(command), 'print one account per line as JSON (NDJSON)');
}
