import type { Command } from 'commander';
import { KubefirstStatusOut } from '../../../api/kubefirst.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';

export function addKubefirstShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show what Kubefirst reports')
    .description('Shows the telemetry that arrived, and the state of each place of records that is followed.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger kubefirst show');
  printsAnswer(command, cli, {
    request: () => ({ path: '/v1/sources/kubefirst', query: { limit: '1000' } }),
    schema: KubefirstStatusOut,
    show: async (out, { telemetry, records, lastSeen }) => {
      await out.details([
        ['write key', telemetry.writeKeyRequired ? 'required' : 'not required'],
        ...Object.entries(telemetry.events).map(([outcome, count]) => [`events ${outcome}`, count] as const),
        ['clusters seen', lastSeen.length],
      ]);
      if (records.length === 0) return out.line('\nno records are followed');
      await out.line();
      await out.table(
        [
          { title: 'RECORDS', cell: ({ name }) => name },
          { title: 'STATE', cell: ({ state }) => state },
          { title: 'SINCE', cell: ({ since }) => since },
          { title: 'CLUSTERS', isFigure: true, cell: ({ clusters }) => clusters },
          { title: 'UNUSABLE', isFigure: true, cell: ({ unusable }) => unusable.length },
          { title: 'MISSING', isFigure: true, cell: ({ missing }) => missing.length },
          { title: 'WHY', isWide: true, cell: ({ why }) => why },
        ],
        records,
      );
    },
    isRead: false,
  });
}
