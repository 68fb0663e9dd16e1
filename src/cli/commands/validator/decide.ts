import { type Command, InvalidArgumentError, Option } from 'commander';
import { ValidatorOut } from '../../../api/validator.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { showValidator } from '../../render/validator-text.ts';

interface Options {
  readonly proceed: number;
  readonly note?: string;
}

export function addValidatorDecide(parent: Command, cli: CliContext): void {
  const command = parent
    .command('decide')
    .summary('let runs take effect although the circuit breaker is open')
    .description(
      'Decides that an outage of many clusters is real: runs take effect although the circuit breaker is open. 0 hours ends the decision.',
    )
    .addOption(
      new Option('--proceed <hours>', 'for how many hours runs take effect, 0 to 168')
        .argParser(hours)
        .makeOptionMandatory(),
    )
    .option('--note <text>', 'why, for those who read the log')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger validator decide --proceed 2 --note "the region is down, confirmed by the provider"',
    );
  printsAnswer(command, cli, {
    request: (_, { proceed, note }: Options) => ({
      method: 'POST',
      path: '/v1/validator/decisions',
      body: { proceedForHours: proceed, note },
    }),
    schema: ValidatorOut,
    show: showValidator,
    isRead: false,
  });
}

function hours(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 168) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0 to 168.');
}
