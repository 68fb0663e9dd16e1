import type { Command } from 'commander';
import { RunDetailOut } from '../../../api/validations.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { showRun } from '../../render/validation-report.ts';

export function addValidationsShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show what a run of the validator found and recorded')
    .description(
      'Shows a run of the validator: the verdicts that changed, the facts that it recorded, and those that its mode held back.',
    )
    .argument('<id>', 'id of the run, which `validations list -o name` prints')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger validations show 2026-03-01T09:00:00.000Z-1-1');
  printsAnswer(command, cli, {
    request: ([id = '']) => ({ path: path`/v1/validations/${id}`, query: { limit: '1000' } }),
    schema: RunDetailOut,
    show: showRun,
    isRead: true,
  });
}
