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
import { plural } from '../../terminal/text.ts';

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
    .summary('close a period permanently')
    .description(
      'Closes a period: its statements never change again. Facts that arrive later become adjustments of the next closing. Periods are closed in order.',
    )
    .argument('<period>', 'UTC month, YYYY-MM', period)
    .option('--early', 'close before the grace period for late facts ends')
    .option('--dry-run', 'show the statements and adjustments; write nothing')
    .option('-y, --yes', 'do not ask for confirmation')
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
    throw usageError('closing a period needs a running ledger: pass --url, or use --dry-run with --store');
  return withRunningLedger(cli, options, async (client) => {
    if (!(await confirm(options, () => questionFor(client, month, options)))) return;
    await printAnswer(client, cli.out, options, closing(month, options, false), Closed, (closed) =>
      cli.out.details([
        ['closed', closed.period],
        ['closed at', closed.closedAt],
        ['position of closing', closed.position],
        ['watermark', closed.watermark],
        ['accounts', closed.accounts],
        ['clusters', closed.totals.billableClusters],
        ['cluster seconds', closed.totals.clusterSeconds],
        ['statements digest', closed.statementsDigest],
      ]),
    );
  });
}

async function questionFor(client: Client, month: string, options: Options): Promise<string> {
  const { accounts, totals } = await fetchJson(client, closing(month, options, true), ClosePeriodOut);
  const { billableClusters, clusterSeconds } = totals;
  return `Close ${month} at ${client.name} permanently: ${plural(accounts, 'statement')}, in total ${plural(billableClusters, 'cluster')} and ${clusterSeconds} cluster seconds?`;
}

function closing(month: string, { early = false }: Options, dryRun: boolean) {
  return { method: 'POST', path: path`/v1/periods/${month}/close`, body: { early, dryRun } } as const;
}
