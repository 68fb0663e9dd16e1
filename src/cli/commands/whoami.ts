import type { Command } from 'commander';
import { CallerOut } from '../../api/operations.ts';
import { printsAnswer } from '../client/ask.ts';
import type { CliContext } from '../client/cli-context.ts';

export function addWhoami(parent: Command, cli: CliContext): void {
  const command = parent
    .command('whoami')
    .description('Shows the name that the ledger records with everything you write, and your role.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger whoami');
  printsAnswer(command, cli, {
    request: () => ({ path: '/v1/me' }),
    schema: CallerOut,
    show: (out, { actor, role, accountId }) =>
      out.details([
        ['actor', actor],
        ['role', role],
        ...(accountId === undefined ? [] : [['account', accountId] as const]),
      ]),
    isRead: false,
  });
}
