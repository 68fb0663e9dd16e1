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
    .summary('the newest signed checkpoint')
    .description(
      'Prints the newest signed checkpoint of the log, a C2SP tlog-checkpoint. Keep it: who holds an old one can prove that nothing before it was changed since.',
    )
    .option('--sign', 'sign one of the whole log first')
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
