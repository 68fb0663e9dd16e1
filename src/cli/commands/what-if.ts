import type { Command } from 'commander';
import type { z } from 'zod';
import { SimulatedUsageOut } from '../../api/what-if.ts';
import { type CliContext, withLedger } from '../client/cli-context.ts';
import { path } from '../client/client.ts';
import { eventIdOf, eventReference } from '../client/event-reference.ts';
import { printAnswer } from '../client/requests.ts';
import { changesByType, typeColumn } from '../render/by-type.ts';
import { headDetails, signed } from '../render/figures.ts';
import { usageError } from '../terminal/cli-error.ts';
import { readEvents } from '../terminal/input.ts';
import {
  accountId,
  collect,
  type WindowOptions,
  windowQuery,
  withAsOf,
  withJson,
  withTarget,
  withWindow,
} from '../terminal/options.ts';

interface Options extends WindowOptions {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

export function addWhatIf(parent: Command, cli: CliContext): void {
  const command = parent
    .command('what-if')
    .description('Shows the usage of an account with facts added or removed. Nothing is written.')
    .argument('<account>', 'id of the account', accountId)
    .option('--add <file>', 'CloudEvents to add, JSON or NDJSON, - for stdin; repeatable', collect())
    .option(
      '--remove <event>',
      'event id or position of a fact to remove; repeatable',
      collect(eventReference),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger what-if acme --period 2026-03 --remove 1806\n  $ cluster-ledger what-if acme --period 2026-03 --add deletion.json',
    )
    .action(async (account: string, options: Options) => {
      const { add = [], remove = [] } = options;
      if (add.length + remove.length === 0)
        throw usageError('no change given: pass --add FILE or --remove EVENT');
      const window = windowQuery(options);
      const added = (await Promise.all(add.map(readEvents))).flat();
      await withLedger(cli, options, async (client) => {
        const removed: string[] = [];
        for (const reference of remove) removed.push(await eventIdOf(client, reference));
        const body = { ...window, asOf: options.asOf, add: added, remove: removed };
        const resource = path`/v1/accounts/${account}/what-if`;
        const request = { method: 'POST', path: resource, body, isRepeatable: true } as const;
        await printAnswer(client, cli.out, options, request, SimulatedUsageOut, (answer) =>
          show(cli, answer),
        );
      });
    });
  withJson(withTarget(withAsOf(withWindow(command))));
}

async function show({ out }: CliContext, answer: z.output<typeof SimulatedUsageOut>): Promise<void> {
  await out.details([['account', answer.accountId], ...headDetails(answer)]);
  await out.line();
  const { before, after, byType } = answer;
  const rows = changesByType(
    { usage: before, byType: byType.before },
    { usage: after, byType: byType.after },
  ).flatMap(({ clusterType, figures }) => [
    { name: 'actual', clusterType, figures: figures.before },
    { name: 'what if', clusterType, figures: figures.after },
    { name: 'delta', clusterType, figures: signed(figures.delta) },
  ]);
  type Row = (typeof rows)[number];
  await out.table<Row>(
    [
      { title: '', cell: ({ name }) => name },
      ...typeColumn(rows),
      { title: 'CLUSTERS', isFigure: true, cell: ({ figures }) => figures.billableClusters },
      { title: 'CLUSTER SECONDS', isFigure: true, cell: ({ figures }) => figures.clusterSeconds },
    ],
    rows,
  );
  if (answer.clusters.length === 0) return out.line('\nno cluster would be billed differently');
  await out.line();
  await out.table(
    [
      { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
      { title: 'BILLED', cell: ({ before }) => formatIntervals(before) },
      { title: 'WOULD BE BILLED', cell: ({ after }) => formatIntervals(after) },
    ],
    answer.clusters,
  );
}

function formatIntervals(
  intervals: z.output<typeof SimulatedUsageOut>['clusters'][number]['before'],
): string {
  return intervals.map(({ from, to }) => `${from} to ${to}`).join(', ') || 'not billed';
}
