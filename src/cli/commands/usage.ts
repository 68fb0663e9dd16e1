import type { Command } from 'commander';
import type { z } from 'zod';
import { AccountUsageOut, UsageList, type UsageOut } from '../../api/usage.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import { type CliContext, withLedger } from '../client/cli-context.ts';
import { path } from '../client/client.ts';
import { printAnswer } from '../client/requests.ts';
import { hasTypes, rowsByType, type TypeRow, typeColumn } from '../render/by-type.ts';
import { headDetails, usageColumns } from '../render/figures.ts';
import {
  accountId,
  type WindowOptions,
  windowQuery,
  withAsOf,
  withCsv,
  withJson,
  withTarget,
  withWindow,
} from '../terminal/options.ts';
import { printMessage } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';
import { plural } from '../terminal/text.ts';

type Usage = z.output<typeof UsageOut>;
type Item = z.output<typeof UsageList>['items'][number];

interface Options extends WindowOptions {
  readonly byDay?: boolean;
  readonly groupBy?: string;
}

export function addUsage(parent: Command, cli: CliContext): void {
  const command = parent
    .command('usage')
    .description('Shows the usage in a window: of every account, or of one.')
    .argument('[account]', 'id of an account (default: all accounts)', accountId)
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger usage --period 2026-03\n  $ cluster-ledger usage acme --period 2026-03 --by-day\n  $ cluster-ledger usage acme --from 2026-03-01T00:00:00Z --to 2026-03-08T00:00:00Z --as-of 1200 --json',
    )
    .action((account: string | undefined, options: Options) => {
      const query = {
        ...windowQuery(options),
        asOf: options.asOf,
        granularity: options.byDay ? 'day' : undefined,
        groupBy: options.groupBy,
      };
      return withLedger(cli, options, (client) => {
        if (account === undefined)
          return printAnswer(client, cli.out, options, { path: '/v1/usage', query }, UsageList, (answer) =>
            showAll(cli, answer),
          );
        const request = { path: path`/v1/accounts/${account}/usage`, query };
        return printAnswer(client, cli.out, options, request, AccountUsageOut, (answer) =>
          showOne(cli, answer),
        );
      });
    });
  withWindow(command)
    .option('--by-day', 'one row per UTC day')
    .option('--group-by <attribute>', 'also by region, cloudProvider, clusterType or label:<key>');
  withCsv(withJson(withTarget(withAsOf(command))));
}

async function showAll({ out }: CliContext, { items, ...head }: z.output<typeof UsageList>): Promise<void> {
  await out.details(headDetails(head));
  if (items.length === 0) return printMessage('no usage in this window');
  await out.line();
  const rows = items.flatMap(rowsOf);
  await out.table(
    [
      { title: 'ACCOUNT', cell: (row) => row.accountId },
      ...(rows[0]?.date === undefined ? [] : [{ title: 'DATE', cell: (row: Row) => row.date }]),
      ...groupColumn(rows),
      ...typeColumn(rows),
      ...usageColumns<Row>(({ figures }) => figures),
    ],
    rows,
  );
  const { total } = items.reduce((sum, { usage }) => sum.add(usage), new AmountSum());
  await out.line(
    `\n${plural(items.length, 'account')}, in total ${plural(total.billableClusters, 'cluster')} and ${total.clusterSeconds} cluster seconds`,
  );
}

interface Row extends TypeRow<Usage> {
  readonly accountId: string;
  /** Value of the attribute that is grouped by; absent in the row of all values. */
  readonly group?: string | null;
  readonly date?: string;
}

function rowsOf({ accountId, usage, byType, groups, days }: Item): Row[] {
  if (days === undefined)
    return [
      ...rowsByType<Usage>(usage, byType).map((row) => ({ accountId, ...row })),
      ...groupRows(groups).map((row) => ({ accountId, ...row })),
    ];
  return days.flatMap(({ date, ...day }) => [
    ...rowsByType<Usage>(day.usage, day.byType, hasTypes(byType)).map((row) => ({ accountId, date, ...row })),
    ...groupRows(day.groups).map((row) => ({ accountId, date, ...row })),
  ]);
}

function groupRows(groups: Item['groups'] = []) {
  return groups.map(({ value, ...figures }) => ({ clusterType: undefined, group: value, figures }));
}

/** Returns a column for the value that is grouped by, or none if no row has one. */
function groupColumn(rows: readonly Row[]): Column<Row>[] {
  if (rows.every(({ group }) => group === undefined)) return [];
  return [{ title: 'GROUP', cell: ({ group }) => (group === undefined ? 'all' : (group ?? 'no value')) }];
}

async function showOne({ out }: CliContext, answer: z.output<typeof AccountUsageOut>): Promise<void> {
  const { accountId, usage, byType, days } = answer;
  await out.details([
    ['account', accountId],
    ...headDetails(answer),
    ['clusters', usage.billableClusters],
    ['cluster seconds', usage.clusterSeconds],
    ['peak', usage.peakClusters],
    ['at start', usage.clustersAtStart],
    ['at end', usage.clustersAtEnd],
    ['average', usage.averageClusters],
  ]);
  if (days === undefined && !hasTypes(byType) && answer.groups === undefined) return;
  await out.line();
  const rows = rowsOf(answer);
  await out.table(
    [
      ...(days === undefined ? [] : [{ title: 'DATE', cell: (row: Row) => row.date }]),
      ...groupColumn(rows),
      ...typeColumn(rows),
      ...usageColumns<Row>(({ figures }) => figures),
    ],
    rows,
  );
}
