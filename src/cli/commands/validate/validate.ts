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
    .description(
      'With --once, makes the validator probe every cluster now, waits for the run, and shows its verdicts and the facts that it recorded. With --what-if, replays past runs with another policy and shows the effect on the bill; nothing is written.',
    )
    .option('--once', 'probe every cluster now')
    .option('--dry-run', 'with --once: show what would be recorded; write nothing')
    .option('--what-if <file>', 'replay past runs with this policy (YAML or JSON), - for stdin')
    .option('--from <instant>', 'with --what-if: start of the window', instant)
    .option('--to <instant>', 'with --what-if: end of the window (exclusive)', instant)
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

/** Returns the window of `--what-if`, or `undefined` for `--once`. @throws CliError if the options conflict. */
function checkOptions({ once = false, dryRun = false, whatIf, from, to, store }: Options) {
  if (once === (whatIf !== undefined))
    throw usageError(
      once
        ? '--once and --what-if cannot be used together'
        : 'pass --once to probe every cluster now, or --what-if FILE to try a policy on past runs; scheduled runs need no command',
    );
  if (!once) {
    if (dryRun) throw usageError('--dry-run requires --once; --what-if never writes anything');
    if (from === undefined || to === undefined) throw usageError('--what-if requires --from and --to');
    return { from, to };
  }
  if (from !== undefined || to !== undefined) throw usageError('--from and --to require --what-if');
  if (store !== undefined) throw usageError('probing clusters needs a running ledger: pass --url');
  return undefined;
}
