import type { Command } from 'commander';
import { ClosePeriodOut } from '../../../api/periods.ts';
import { type CliContext, withLedger, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, path } from '../../client/client.ts';
import { fetchJson, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { showStatements } from '../../render/statement-tables.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { confirm } from '../../terminal/confirm.ts';
import { period, withJson, withTarget } from '../../terminal/options.ts';

const [Closed, WouldClose] = ClosePeriodOut.options;

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly early?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addPeriodClose(parent: Command, cli: CliContext): void {
  const command = parent
    .command('close')
    .summary('close a period, for good')
    .description(
      'Closes a period: its statements never change again, and what becomes known later is an adjustment in the period that is closed next. Periods close in order.',
    )
    .argument('<period>', 'a UTC month, YYYY-MM', period)
    .option('--early', 'also while it still waits for late facts')
    .option('--dry-run', 'only show the statements and adjustments that would be; nothing is written')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger period close 2026-03 --dry-run\n  $ cluster-ledger period close 2026-03 --yes --json',
    )
    .action((month: string, options: Options) => (options.dryRun ? dryRun : close)(cli, month, options));
  withJson(withTarget(command));
}

function dryRun(cli: CliContext, month: string, options: Options): Promise<void> {
  return withLedger(cli, options, (client) =>
    printAnswer(client, cli.out, options, closing(month, options, true), WouldClose, async (would) => {
      await cli.out.details([
        ['would close', would.period],
        ['watermark', would.watermark],
      ]);
      await cli.out.line();
      await showStatements(cli.out, would.statements);
    }),
  );
}

function close(cli: CliContext, month: string, options: Options): Promise<void> {
  if (options.store !== undefined)
    throw usageError('a period is closed by a ledger that runs: give --url, or --dry-run with --store');
  return withRunningLedger(cli, options, async (client) => {
    if (!(await confirm(options, () => questionFor(client, month, options)))) return;
    await printAnswer(client, cli.out, options, closing(month, options, false), Closed, (closed) =>
      cli.out.details([
        ['closed', closed.period],
        ['closed at', closed.closedAt],
        ['closed in position', closed.position],
        ['watermark', closed.watermark],
        ['accounts', closed.accounts],
        ['clusters', closed.totals.billableClusters],
        ['cluster seconds', closed.totals.clusterSeconds],
        ['digest of statements', closed.statementsDigest],
      ]),
    );
  });
}

async function questionFor(client: Client, month: string, options: Options): Promise<string> {
  const { accounts, totals } = await fetchJson(client, closing(month, options, true), ClosePeriodOut);
  const { billableClusters, clusterSeconds } = totals;
  return `Close ${month} at ${client.name} for good: ${accounts} statements, in total ${billableClusters} clusters and ${clusterSeconds} cluster seconds?`;
}

function closing(month: string, { early = false }: Options, dryRun: boolean) {
  return { method: 'POST', path: path`/v1/periods/${month}/close`, body: { early, dryRun } } as const;
}
