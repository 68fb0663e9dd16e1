import type { Command } from 'commander';
import type { z } from 'zod';
import { DifferenceOut } from '../../api/diff.ts';
import { type CliContext, withLedger } from '../client/cli-context.ts';
import { path } from '../client/client.ts';
import { printAnswer } from '../client/requests.ts';
import { changesByType, typeColumn } from '../render/by-type.ts';
import { signed, windowDetails } from '../render/figures.ts';
import {
  accountId,
  asOf,
  type WindowOptions,
  windowQuery,
  withJson,
  withTarget,
  withWindow,
} from '../terminal/options.ts';

interface Options extends WindowOptions {
  readonly before: string;
  readonly after?: string;
}

export function addDiff(parent: Command, cli: CliContext): void {
  const command = parent
    .command('diff')
    .description(
      'Compares the usage of a window as known at two log positions or instants, and lists the facts that made the difference.',
    )
    .argument('<account>', 'id of the account', accountId)
    .requiredOption('--before <position|instant>', 'earlier state of knowledge', asOf)
    .option('--after <position|instant>', 'later state of knowledge (default: now)', asOf)
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger diff acme --period 2026-03 --before 2026-04-04T00:00:00Z',
    )
    .action((account: string, options: Options) => {
      const query = { ...windowQuery(options), before: options.before, after: options.after };
      const request = { path: path`/v1/accounts/${account}/diff`, query };
      return withLedger(cli, options, (client) =>
        printAnswer(client, cli.out, options, request, DifferenceOut, (answer) => show(cli, answer)),
      );
    });
  withJson(withTarget(withWindow(command)));
}

async function show({ out }: CliContext, answer: z.output<typeof DifferenceOut>): Promise<void> {
  const { accountId, before, after, facts } = answer;
  await out.details([['account', accountId], ...windowDetails(answer)]);
  await out.line();
  const rows = changesByType(before, after).flatMap(({ clusterType, figures }) => [
    { name: 'before', clusterType, position: before.position, figures: figures.before },
    { name: 'after', clusterType, position: after.position, figures: figures.after },
    { name: 'delta', clusterType, position: null, figures: signed(figures.delta) },
  ]);
  type Row = (typeof rows)[number];
  await out.table<Row>(
    [
      { title: '', cell: ({ name }) => name },
      ...typeColumn(rows),
      { title: 'POSITION', isFigure: true, cell: ({ position }) => position },
      { title: 'CLUSTERS', isFigure: true, cell: ({ figures }) => figures.billableClusters },
      { title: 'CLUSTER SECONDS', isFigure: true, cell: ({ figures }) => figures.clusterSeconds },
    ],
    rows,
  );
  if (facts.length === 0) return out.line('\nno fact between them changes the usage');
  await out.line();
  await out.table(
    [
      { title: 'POSITION', isFigure: true, cell: ({ position }) => position },
      { title: 'FACT', cell: ({ type }) => type },
      { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
      { title: 'EFFECTIVE AT', cell: ({ effectiveAt }) => effectiveAt },
      { title: 'RECORDED AT', isWide: true, cell: ({ recordedAt }) => recordedAt },
      {
        title: 'EFFECT',
        cell: ({ effect, voidedBy }) =>
          voidedBy === undefined ? effect : `${effect} at ${voidedBy.position}`,
      },
      { title: 'BY', isWide: true, cell: ({ actor, voidedBy }) => voidedBy?.actor ?? actor },
      { title: 'EVENT ID', isWide: true, cell: ({ eventId }) => eventId },
    ],
    facts,
  );
}
