import { type Command, Option } from 'commander';
import { KeyOut } from '../../../api/keys.ts';
import { KEY_STATES } from '../../../domain/access/access-key.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withListFormats, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly state?: string;
}

export function addKeysList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list API keys')
    .description('Lists the API keys without their secrets, in the order of their creation.')
    .addOption(new Option('--state <state>', 'only keys in this state').choices(KEY_STATES))
    .addHelpText('after', '\nExample:\n  $ cluster-ledger keys list --state active')
    .action(({ state, ...options }: Options) =>
      withLedger(cli, options, async (client) => {
        const request = { path: '/v1/keys', query: { state } };
        const count = await printList(client, cli.out, options, request, KeyOut, [
          { title: 'ID', cell: ({ id }) => id },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'ROLE', cell: ({ role, accountId }) => (accountId ? `${role} ${accountId}` : role) },
          { title: 'STATE', cell: (key) => key.state },
          { title: 'EXPIRES', cell: ({ expiresAt }) => expiresAt.slice(0, 10) },
          { title: 'LAST USED', cell: ({ lastUsedAt }) => lastUsedAt?.slice(0, 10) ?? 'never' },
        ]);
        if (count === 0) printMessage('no keys found');
      }),
    );
  withListFormats(withTarget(command), 'print one key per line as JSON (NDJSON)');
}
