import type { Command } from 'commander';
import { ClockOut } from '../../../api/clock.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';

export function addClockShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show whether the ledger trusts its clock')
    .description(
      'Shows the time of the ledger and whether it is trusted. While it is not, no period is closed.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger clock show');
  printsAnswer(command, cli, {
    request: () => ({ path: '/v1/clock' }),
    schema: ClockOut,
    show: (out, { trusted, time, doubt }) =>
      out.details([
        ['trusted', trusted ? 'yes' : 'no'],
        ['time', time],
        ...(doubt === null
          ? []
          : ([
              ['doubted since', doubt.since],
              ['why', doubt.why],
            ] as const)),
      ]),
    isRead: false,
  });
}
