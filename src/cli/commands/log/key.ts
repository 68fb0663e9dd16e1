import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printBody, send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withServer } from '../../terminal/options.ts';
import { addLogKeyRetire, addLogKeyRotate } from './change-key.ts';
import { addLogKeyCreate } from './create-key.ts';

/** Adds `log key` and its subcommands. */
export function addLogKey(parent: Command, cli: CliContext): void {
  const command = parent
    .command('key')
    .summary('print the public keys of the log')
    .description(
      'Prints the public keys that verify the log, one per line (C2SP signed-note verifier keys): the current key first, then former ones.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger log key > ledger.key')
    .action((options: TargetOptions) =>
      withRunningLedger(cli, options, async (client) =>
        printBody(client, cli.out, await send(client, { path: '/log/key', accept: 'text/plain' })),
      ),
    );
  withServer(command);
  addLogKeyCreate(command, cli);
  addLogKeyRotate(command, cli);
  addLogKeyRetire(command, cli);
}
