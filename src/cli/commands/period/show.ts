import type { Command } from 'commander';
import { PeriodOut } from '../../../api/periods.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { period, withAsOf, withJson, withTarget } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly asOf?: string;
}

export function addPeriodShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show a period')
    .description('Shows a period: its state, when it is due, and the totals of its closing.')
    .argument('<period>', 'UTC month, YYYY-MM', period)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger period show 2026-03')
    .action((month: string, options: Options) =>
      withLedger(cli, options, (client) =>
        printAnswer(
          client,
          cli.out,
          options,
          { path: path`/v1/periods/${month}`, query: { asOf: options.asOf } },
          PeriodOut,
          ({ close, ...shown }) =>
            cli.out.details([
              ['period', shown.period],
              ['state', shown.state],
              ['from', shown.window.from],
              ['to', shown.window.to],
              ['due at', shown.dueAt],
              ...(close === null
                ? []
                : ([
                    ['closed at', close.closedAt],
                    ['position of closing', close.position],
                    ['watermark', close.watermark],
                    ['accounts', close.accounts],
                    ['clusters', close.totals.billableClusters],
                    ['cluster seconds', close.totals.clusterSeconds],
                    ['statements digest', close.statementsDigest],
                  ] as const)),
            ]),
        ),
      ),
    );
  withJson(withTarget(withAsOf(command)));
}
