import type { Command } from 'commander';
import { DecisionsOut } from '../../../api/undecided.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { EXIT } from '../../terminal/cli-error.ts';
import { withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly reason: string;
  readonly from?: string;
}

export function addUndecidedStop(parent: Command, cli: CliContext): void {
  const command = parent
    .command('stop')
    .summary('stop the billing of clusters that are gone')
    .description('Stops the billing of clusters in the list. Each stop is a fact that can be voided.')
    .requiredOption('--from <instant>', 'from when they are not billed: an instant, or registration')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger undecided stop old-1 old-2 --from registration --reason "deleted before the ledger began"',
    );
  addDecision(command, cli, 'stop');
}

export function addUndecidedLeave(parent: Command, cli: CliContext): void {
  const command = parent
    .command('leave')
    .summary('leave clusters billed, and silence their alerts')
    .description('Acknowledges the alerts of clusters in the list. They stay billed.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger undecided leave vpn-1 --reason "behind a VPN"');
  addDecision(command, cli, 'leave');
}

function addDecision(command: Command, cli: CliContext, decision: 'stop' | 'leave'): void {
  command
    .argument('<cluster...>', 'ids of clusters')
    .requiredOption('--reason <text>', 'reason to record')
    .action((clusterIds: string[], { reason, from, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        const body = { decision, clusterIds, reason, ...(from !== undefined && { effectiveAt: from }) };
        const request = { method: 'POST', path: '/v1/undecided/decisions', body } as const;
        return printAnswer(client, cli.out, options, request, DecisionsOut, async ({ items }) => {
          await cli.out.table(
            [
              { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
              { title: 'OUTCOME', cell: ({ outcome }) => outcome },
              { title: 'WHY', cell: ({ why }) => why },
            ],
            items,
          );
          if (items.some(({ outcome }) => outcome === 'refused')) process.exitCode = EXIT.failed;
        });
      }),
    );
  withJson(withServer(command));
}
