import type { Command } from 'commander';
import { DeletionOut, DeletionRequestOut } from '../../../api/deletions.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, path } from '../../client/client.ts';
import { fetchJson } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { deletionDetails } from '../../render/deletion-text.ts';
import { EXIT, usageError } from '../../terminal/cli-error.ts';
import { clusterId, withJson, withServer } from '../../terminal/options.ts';
import { askText, isInteractive, printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly name?: string;
  readonly reason?: string;
}

export function addClustersDelete(parent: Command, cli: CliContext): void {
  const command = parent
    .command('delete')
    .summary('request and confirm the deletion of a cluster')
    .description(
      'Requests the deletion of a cluster, shows what it would do, and asks for the name of the cluster. The typed name confirms the deletion. The application that deletes clusters then does so; clusters deletions follows it.',
    )
    .argument('<cluster>', 'id of the cluster', clusterId)
    .option('--name <name>', 'name of the cluster, typed exactly; instead of being asked')
    .option('--reason <text>', 'why, for auditors')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger clusters delete c1 --reason "requested by the customer"\n  $ cluster-ledger clusters delete c1 --name production',
    )
    .action((cluster: string, options: Options) => {
      if (options.name === undefined && !isInteractive())
        throw usageError('refusing to run without confirmation: stdin is not a terminal; pass --name');
      return withRunningLedger(cli, options, (client) => deleteCluster(cli, client, cluster, options));
    });
  withJson(withServer(command), 'print the deletion as JSON');
}

async function deleteCluster(
  cli: CliContext,
  client: Client,
  cluster: string,
  { json, name, reason }: Options,
): Promise<void> {
  const deletions = path`/v1/clusters/${cluster}/deletions`;
  const body = reason === undefined ? {} : { reason };
  const requested = await fetchJson(client, { method: 'POST', path: deletions, body }, DeletionRequestOut);
  const { deletionId, preview, confirmationToken } = requested;
  const { account, billedSince, effectOfDeleting } = preview;
  printMessage(
    `cluster ${cluster} of ${account ?? 'no account'}, billed since ${billedSince ?? 'never'}\n${effectOfDeleting}`,
  );
  const typed = name ?? (await askText(`Type ${JSON.stringify(preview.name)} to delete the cluster:`));
  if (typed !== preview.name) {
    await fetchJson(
      client,
      { method: 'POST', path: path`/v1/clusters/${cluster}/deletions/${deletionId}/cancel`, body: {} },
      DeletionOut,
    );
    printMessage(`${JSON.stringify(typed)} is not the name of the cluster: the deletion is canceled`);
    process.exitCode = EXIT.failed;
    return;
  }
  const confirmed = await fetchJson(
    client,
    {
      method: 'POST',
      path: path`/v1/clusters/${cluster}/deletions/${deletionId}/confirm`,
      body: { name: typed, confirmationToken },
    },
    DeletionOut,
  );
  if (json) await cli.out.json(confirmed);
  else await cli.out.details(deletionDetails(confirmed));
}
