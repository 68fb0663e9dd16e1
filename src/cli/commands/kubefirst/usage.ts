import type { Command } from 'commander';
import { z } from 'zod';
import { KubefirstUsageOut } from '../../../api/kubefirst.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { fetchJson } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { accountId, period, withListFormats, withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly period: string;
}

export function addKubefirstUsage(parent: Command, cli: CliContext): void {
  const command = parent
    .command('usage')
    .summary("show the usage of an account as Kubefirst's billing page reads it")
    .description('Shows the billed hours of each cluster of an account in a month, with their price.')
    .argument('<account>', 'id of the account', accountId)
    .requiredOption('--period <month>', 'UTC month, YYYY-MM', period)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger kubefirst usage acme --period 2026-03')
    .action((account: string, options: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const query = { accountId: account, period: options.period };
        const request = { path: '/v1/sources/kubefirst/cluster-usage', query };
        const clusters = await fetchJson(client, request, z.array(KubefirstUsageOut));
        if (options.json === true) return cli.out.documents(clusters);
        if (clusters.length === 0) return printMessage('no clusters found');
        await cli.out.table(
          [
            { title: 'CLUSTER', cell: ({ clusterName }) => clusterName },
            { title: 'ID', cell: ({ clusterID }) => clusterID, isName: true },
            { title: 'TYPE', cell: ({ clusterType }) => clusterType },
            { title: 'HOURS', isFigure: true, cell: ({ hours }) => hours },
            { title: 'TOTAL', isFigure: true, cell: ({ total }) => total },
            { title: 'CREATED AT', isWide: true, cell: ({ createdAt }) => createdAt },
            { title: 'DELETED AT', isWide: true, cell: ({ deletedAt }) => deletedAt },
          ],
          clusters,
        );
      }),
    );
  withListFormats(withServer(command), 'print one cluster per line as JSON (NDJSON)');
}
