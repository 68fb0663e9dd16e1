import type { Command } from 'commander';
import { ValidatorOut } from '../../../api/validator.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { showValidator } from '../../render/validator-text.ts';

export function addValidatorShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show the state of the validator')
    .description(
      'Shows the last run of each shard, the runs under way, and whether the circuit breaker withholds facts.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger validator show');
  printsAnswer(command, cli, {
    request: () => ({ path: '/v1/validator' }),
    schema: ValidatorOut,
    show: showValidator,
    isRead: true,
  });
}
