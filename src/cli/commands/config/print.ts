import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { withJson } from '../../terminal/options.ts';
import { type EffectiveSetting, effectiveSettingsHere } from './effective-settings.ts';

export function addConfigPrint(parent: Command, { out }: CliContext): void {
  const command = parent
    .command('print')
    .summary('print the settings and where each comes from')
    .description(
      'Prints the settings that a ledger started here would use, and the source of each: a default, ledger.yaml, or a variable LEDGER_…. Secrets are masked. All invalid settings are reported together.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger config print\n  $ LEDGER_CONFIG=/etc/ledger.yaml cluster-ledger config print --json',
    )
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const settings = effectiveSettingsHere();
      if (json) return out.json(settings);
      await out.table<EffectiveSetting>(
        [
          { title: 'SETTING', cell: ({ setting }) => setting },
          { title: 'FROM', cell: from },
          { title: 'VALUE', cell: shown },
        ],
        settings,
      );
    });
  withJson(command, 'print the settings as JSON');
}

function shown({ value, isMasked }: EffectiveSetting): string | undefined {
  if (isMasked) return '(secret)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function from({ origin }: EffectiveSetting): string {
  if (origin === 'default') return 'default';
  return 'file' in origin ? origin.file : origin.variable;
}
