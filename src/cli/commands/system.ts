import type { Command } from 'commander';
import { SystemOut } from '../../api/system.ts';
import { printsAnswer } from '../client/ask.ts';
import type { CliContext } from '../client/cli-context.ts';

export function addSystem(parent: Command, cli: CliContext): void {
  const command = parent
    .command('system')
    .description(
      'Shows the version of a running ledger, its store and log, and how it closes periods and validates clusters. `config print` shows the settings here.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger system -o yaml');
  printsAnswer(command, cli, {
    request: () => ({ path: '/v1/system' }),
    schema: SystemOut,
    show: (out, { log, validator, ...system }) =>
      out.details([
        ['version', system.version],
        ['Node.js', system.nodeVersion],
        ['billing rules', system.rules],
        ['store', system.store],
        ['log', log.origin],
        ['position', log.position],
        ['signed', log.signed],
        ['periods are closed', system.autoClose ? 'by a schedule' : 'by a person or program'],
        ['validator', validator.isConfigured ? validator.schedule : 'not configured'],
        ['policies', validator.policies.map(({ name, mode }) => `${name} (${mode})`).join(', ')],
      ]),
    isRead: false,
  });
}
