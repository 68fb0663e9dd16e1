import type { Command } from 'commander';
import { ClockOut } from '../../../api/clock.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly reason: string;
}

export function addClockTrust(parent: Command, cli: CliContext): void {
  const command = parent
    .command('trust')
    .summary('confirm that the clock of the host is right')
    .description(
      'Confirms that the clock of the host is right, which ends the alert clock-untrusted: periods can be closed again. First compare the clock with a time server. If the clock is trusted, nothing is changed.',
    )
    .requiredOption('--reason <text>', 'how the time was checked, for auditors')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger clock trust --reason "compared with two time servers; the host was off for six weeks"',
    )
    .action(({ reason, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        const request = { method: 'POST', path: '/v1/clock/trust', body: { reason } } as const;
        return printAnswer(client, cli.out, options, request, ClockOut, ({ trusted, time, doubt }) =>
          cli.out.details([
            ['trusted', trusted ? 'yes' : 'no'],
            ['time', time],
            ['doubt', doubt?.why],
          ]),
        );
      }),
    );
  withJson(withServer(command));
}
