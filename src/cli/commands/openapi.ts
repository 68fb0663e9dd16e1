import type { Command } from 'commander';
import { type CliContext, withLedger } from '../client/cli-context.ts';
import { printBody, send } from '../client/requests.ts';
import type { TargetOptions } from '../client/target.ts';
import { withTarget } from '../terminal/options.ts';

export function addOpenapi(parent: Command, cli: CliContext): void {
  const command = parent
    .command('openapi')
    .description('Prints the OpenAPI document of the ledger, from which clients are generated.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger openapi > openapi.json')
    .action((options: TargetOptions) =>
      withLedger(cli, options, async (client) =>
        printBody(client, cli.out, await send(client, { path: '/openapi.json' })),
      ),
    );
  withTarget(command);
}
