import type { Command } from 'commander';
import { KeyOut } from '../../../api/keys.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';

export function addKeysShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show an API key')
    .description('Shows an API key without its secret: its role, when it ends, and when it was last used.')
    .argument('<id>', 'id of the key: the part between clk_ and the secret')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger keys show 4k2v9q7m1x3z');
  printsAnswer(command, cli, {
    request: ([id = '']) => ({ path: path`/v1/keys/${id}` }),
    schema: KeyOut,
    show: (out, key) =>
      out.details([
        ['key', key.id],
        ['name', key.name],
        ['role', key.role],
        ['account', key.accountId],
        ['state', key.state],
        ['created', `${key.createdAt} by ${key.createdBy}`],
        ['expires at', key.expiresAt],
        ['last used at', key.lastUsedAt ?? 'never'],
        ...(key.revokedAt === undefined
          ? []
          : ([
              ['revoked', `${key.revokedAt} by ${key.revokedBy}`],
              ['reason', key.revocationReason],
            ] as const)),
      ]),
    isRead: true,
  });
}
