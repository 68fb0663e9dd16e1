import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printBody, send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly sign?: boolean;
}

export function addLogCheckpoint(parent: Command, cli: CliContext): void {
  const command = parent
    .command('checkpoint')
    .summary('print the newest signed checkpoint')
    .description(
      'Prints the newest signed checkpoint of the log (C2SP tlog-checkpoint). Keep it: with an old checkpoint you can prove that no earlier event was changed since.',
    )
    .option('--sign', 'sign a new checkpoint of the whole log first')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger log checkpoint --sign > checkpoint-2026-03\n  $ cluster-ledger verify --url https://ledger.example.com --key ledger.key --checkpoint checkpoint-2026-03',
    )
    .action(({ sign = false, ...options }: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const method = sign ? 'POST' : 'GET';
        const request = { method, path: '/log/checkpoint', accept: 'text/plain' } as const;
        await printBody(client, cli.out, await send(client, request));
      }),
    );
  withServer(command);
}
