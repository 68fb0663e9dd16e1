import type { Command } from 'commander';
import type { z } from 'zod';
import { BeginBillingOut } from '../../../api/billing-beginning.ts';
import { type CliContext, withLedger, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, path } from '../../client/client.ts';
import { fetchJson, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { confirm } from '../../terminal/confirm.ts';
import { period, withJson, withTarget } from '../../terminal/options.ts';
import { plural } from '../../terminal/text.ts';

const [Begun, WouldBegin] = BeginBillingOut.options;
type LeftOut = z.output<typeof WouldBegin>['leftOut'];

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addBillingBegin(parent: Command, cli: CliContext): void {
  const command = parent
    .command('begin')
    .summary('choose the first period that has statements, permanently')
    .description(
      'Chooses the first period that has statements. Usage from before it is shown, but is never on a statement: an earlier system has charged for it. This is possible once, before the first period is closed, and cannot be changed.',
    )
    .argument('<period>', 'UTC month, YYYY-MM', period)
    .requiredOption('--reason <text>', 'why, for auditors')
    .option('--dry-run', 'show the usage that would be left out; write nothing')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger billing begin 2026-11 --reason "billed elsewhere until October" --dry-run\n  $ cluster-ledger billing begin 2026-11 --reason "billed elsewhere until October" --yes',
    )
    .action((month: string, options: Options) => (options.dryRun ? dryRun : begin)(cli, month, options));
  withJson(withTarget(command));
}

function dryRun(cli: CliContext, month: string, options: Options): Promise<void> {
  return withLedger(cli, options, (client) =>
    printAnswer(client, cli.out, options, beginning(month, options, true), WouldBegin, (would) =>
      cli.out.details([['would begin with', would.period], ...detailsOf(would.leftOut)]),
    ),
  );
}

function begin(cli: CliContext, month: string, options: Options): Promise<void> {
  if (options.store !== undefined)
    throw usageError(
      'beginning statements needs a running ledger: pass --url, or use --dry-run with --store',
    );
  return withRunningLedger(cli, options, async (client) => {
    if (!(await confirm(options, () => questionFor(client, month, options)))) return;
    await printAnswer(client, cli.out, options, beginning(month, options, false), Begun, (begun) =>
      cli.out.details([
        ['begins with', begun.period],
        ['reason', begun.reason],
        ['recorded at', begun.at],
        ['position', begun.position],
        ...detailsOf(begun.leftOut),
      ]),
    );
  });
}

async function questionFor(client: Client, month: string, options: Options): Promise<string> {
  const { leftOut } = await fetchJson(client, beginning(month, options, true), BeginBillingOut);
  return `Begin statements at ${client.name} with ${month} permanently, and never charge for ${leftOut.clusterSeconds} cluster seconds of ${plural(leftOut.accounts, 'account')} from ${leftOut.window.from} to ${leftOut.window.to}?`;
}

function detailsOf({ window, accounts, clusterSeconds }: LeftOut): [string, string | number][] {
  return [
    ['left out', `${window.from} to ${window.to}`],
    ['accounts', accounts],
    ['cluster seconds', clusterSeconds],
  ];
}

function beginning(month: string, { reason }: Options, isDryRun: boolean) {
  const body = { period: month, reason, dryRun: isDryRun };
  return { method: 'POST', path: path`/v1/billing/beginning`, body } as const;
}
