import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printBody, send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withServer } from '../../terminal/options.ts';

/** @returns the command, for those that change keys. */
export function addLogKey(parent: Command, cli: CliContext): Command {
  const command = parent
    .command('key')
    .summary('the keys that the log is verified with')
    .description(
      'Prints the public keys of the log, a line each in the verifier form of signed notes: the current one first, then the former ones.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger log key > ledger.key')
    .action((options: TargetOptions) =>
      withRunningLedger(cli, options, async (client) =>
        printBody(client, cli.out, await send(client, { path: '/log/key', accept: 'text/plain' })),
      ),
    );
  return withServer(command);
}
