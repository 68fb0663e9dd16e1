import type { Command } from 'commander';
import { z } from 'zod';
import { PeriodOut } from '../../../api/periods.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { withAsOf, withJson, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

const Periods = z.object({ items: z.array(PeriodOut) });

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly asOf?: string;
}

export function addPeriodList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list the periods and their state')
    .description('Lists the periods from the first with a fact to the current one.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger period list')
    .action((options: Options) =>
      withLedger(cli, options, (client) =>
        printAnswer(
          client,
          cli.out,
          options,
          { path: '/v1/periods', query: { limit: '1000', asOf: options.asOf } },
          Periods,
          async ({ items }) => {
            if (items.length === 0) return printMessage('no periods: the ledger has no facts yet');
            await cli.out.table(
              [
                { title: 'PERIOD', cell: ({ period }) => period },
                { title: 'STATE', cell: ({ state }) => state },
                { title: 'DUE AT', isWide: true, cell: ({ dueAt }) => dueAt },
                { title: 'CLOSED AT', cell: ({ close }) => close?.closedAt },
                { title: 'WATERMARK', isFigure: true, cell: ({ close }) => close?.watermark },
                { title: 'ACCOUNTS', isFigure: true, isWide: true, cell: ({ close }) => close?.accounts },
                { title: 'CLUSTERS', isFigure: true, cell: ({ close }) => close?.totals.billableClusters },
                {
                  title: 'CLUSTER SECONDS',
                  isFigure: true,
                  cell: ({ close }) => close?.totals.clusterSeconds,
                },
              ],
              items,
            );
          },
        ),
      ),
    );
  withJson(withTarget(withAsOf(command)));
}
