import type { Command } from 'commander';
import { RunOut } from '../../../api/validations.ts';
import { printsList } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';

export function addValidationsList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list runs of the validator')
    .description(
      'Lists the runs of the validator, the latest first, with how many clusters were in each state.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger validations list');
  printsList(command, cli, {
    request: () => ({ path: '/v1/validations' }),
    item: RunOut,
    columns: [
      { title: 'STARTED AT', cell: ({ startedAt }) => startedAt },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'ALIVE', isFigure: true, cell: ({ result }) => result?.counts.alive },
      { title: 'UNREACHABLE', isFigure: true, cell: ({ result }) => result?.counts.unreachable },
      { title: 'UNKNOWN', isFigure: true, cell: ({ result }) => result?.counts.unknown },
      { title: 'FACTS', isFigure: true, cell: ({ result }) => result?.facts },
      { title: 'TRIGGER', isWide: true, cell: ({ trigger }) => trigger },
      { title: 'SHARD', isWide: true, cell: ({ shard }) => shard },
      { title: 'ID', isWide: true, isName: true, cell: ({ id }) => id },
    ],
    noun: 'run',
  });
}
