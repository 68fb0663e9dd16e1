import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import type { TargetOptions } from '../../client/target.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { instant, withJson, withTarget } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly once?: boolean;
  readonly dryRun?: boolean;
  readonly whatIf?: string;
  readonly from?: string;
  readonly to?: string;
}

export function addValidate(parent: Command, cli: CliContext): void {
  const command = parent
    .command('validate')
    .summary('ask every cluster now whether it is still there, or try another policy')
    .description(
      'With --once has the validator of a ledger ask every cluster now, waits for it, and shows what it saw and concluded. With --what-if plays the runs of the past through another policy; nothing is written.',
    )
    .option('--once', 'ask every cluster now')
    .option('--dry-run', 'with --once: only show what would be recorded')
    .option('--what-if <file>', 'a policy in YAML or JSON, - for the standard input')
    .option('--from <instant>', 'with --what-if: the beginning of the window that is counted', instant)
    .option('--to <instant>', 'with --what-if: and its end', instant)
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger validate --once --dry-run\n  $ cluster-ledger validate --what-if policy.yaml --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z',
    )
    .action(async (options: Options) => {
      const window = checkOptions(options);
      if (window !== undefined && options.whatIf !== undefined) {
        const { whatIfPolicy } = await import('./validate-what-if.ts');
        return whatIfPolicy(cli, options.whatIf, window, options);
      }
      const { showPlannedRun: planOnce, runOnce } = await import('./validate-once.ts');
      return options.dryRun === true ? planOnce(cli, options) : runOnce(cli, options);
    });
  withJson(withTarget(command));
}

/** @returns the window of a what-if. @throws CliError if the options do not go together. */
function checkOptions({ once = false, dryRun = false, whatIf, from, to, store }: Options) {
  if (once === (whatIf !== undefined))
    throw usageError(
      once
        ? '--once and --what-if do not go together: give one of them'
        : 'say what to do: --once asks every cluster now, --what-if FILE tries a policy on past runs; a ledger that is served runs by its schedule by itself',
    );
  if (!once) {
    if (dryRun) throw usageError('--dry-run goes with --once; --what-if never writes anything');
    if (from === undefined || to === undefined)
      throw usageError('say which window to count: --what-if needs --from and --to');
    return { from, to };
  }
  if (from !== undefined || to !== undefined) throw usageError('--from and --to go with --what-if');
  if (store !== undefined) throw usageError('clusters are asked by a ledger that runs: give --url');
  return undefined;
}
