import type { Command } from 'commander';
import { BeginningOut } from '../../../api/billing-beginning.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withJson, withTarget } from '../../terminal/options.ts';

export function addBillingShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show the first period that has statements')
    .description(
      'Shows the recorded beginning of statements. Without one, statements begin with the earliest billed period, and the command fails.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger billing show')
    .action((options: TargetOptions & { readonly json?: boolean }) =>
      withLedger(cli, options, (client) =>
        printAnswer(
          client,
          cli.out,
          options,
          { path: path`/v1/billing/beginning` },
          BeginningOut,
          (beginning) =>
            cli.out.details([
              ['begins with', beginning.period],
              ['reason', beginning.reason],
              ['recorded at', beginning.at],
              ['position', beginning.position],
            ]),
        ),
      ),
    );
  withJson(withTarget(command));
}
