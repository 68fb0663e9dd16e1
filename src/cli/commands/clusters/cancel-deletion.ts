import type { Command } from 'commander';
import { DeletionOut } from '../../../api/deletions.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { deletionDetails } from '../../render/deletion-text.ts';
import { clusterId, withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly reason?: string;
}

export function addClustersCancelDeletion(parent: Command, cli: CliContext): void {
  const command = parent
    .command('cancel-deletion')
    .summary('cancel a deletion that has not ended')
    .description(
      'Cancels a deletion. Possible until the cluster is deleted; canceling again changes nothing.',
    )
    .argument('<cluster>', 'id of the cluster', clusterId)
    .argument('<deletion>', 'id of the deletion')
    .option('--reason <text>', 'why, for auditors')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger clusters cancel-deletion c1 del-0c5d6a8f9b7e4d3c2b1a0f9e8d7c6b5a49382716',
    )
    .action((cluster: string, deletion: string, { reason, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        const request = {
          method: 'POST',
          path: path`/v1/clusters/${cluster}/deletions/${deletion}/cancel`,
          body: reason === undefined ? {} : { reason },
        } as const;
        return printAnswer(client, cli.out, options, request, DeletionOut, (answer) =>
          cli.out.details(deletionDetails(answer)),
        );
      }),
    );
  withJson(withServer(command));
}
