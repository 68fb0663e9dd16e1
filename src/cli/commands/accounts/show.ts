import type { Command } from 'commander';
import { AccountOut } from '../../../api/accounts.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { accountDetails } from '../../render/account-text.ts';
import { accountId, withJson, withTarget } from '../../terminal/options.ts';

export function addAccountsShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show the profile, the billed clusters and the limits of an account')
    .description(
      'Shows an account: its profile, how many clusters are billed now, and how many are left of each limit.',
    )
    .argument('<account>', 'id of the account', accountId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger accounts show acme')
    .action((account: string, options: TargetOptions & { readonly json?: boolean }) =>
      withLedger(cli, options, (client) =>
        printAnswer(client, cli.out, options, { path: path`/v1/accounts/${account}` }, AccountOut, (answer) =>
          cli.out.details(accountDetails(answer)),
        ),
      ),
    );
  withJson(withTarget(command));
}
