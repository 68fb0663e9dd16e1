import type { Command } from 'commander';
import type { z } from 'zod';
import type { AlertOut } from '../../../api/alerts.ts';
import { ClusterBillingOut, ClusterOut } from '../../../api/clusters.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { type Client, path } from '../../client/client.ts';
import { fetchJson } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { ALERT_COLUMNS, unresolvedAlerts } from '../../render/alert-table.ts';
import { clusterId, withJson, withTarget } from '../../terminal/options.ts';
import type { Detail } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

export function addClustersShow(parent: Command, cli: CliContext): void {
  const command = parent
    .command('show')
    .summary('show the state, billed intervals and alerts of a cluster')
    .description(
      'Shows a cluster: its state, the verdict of the last probe, its billed intervals, and its unresolved alerts.',
    )
    .argument('<id>', 'id of the cluster', clusterId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger clusters show c1')
    .action((id: string, options: Options) =>
      withLedger(cli, options, async (client) => {
        const cluster = await fetchJson(client, { path: path`/v1/clusters/${id}` }, ClusterOut);
        const billing = await fetchJson(
          client,
          { path: path`/v1/clusters/${id}/billing` },
          ClusterBillingOut,
        );
        const alerts = await alertsOf(client, id);
        const state = { cluster, billing, alerts };
        await (options.json === true ? cli.out.json(state) : show(cli, state));
      }),
    );
  withJson(withTarget(command), 'print { cluster, billing, alerts } as JSON');
}

async function alertsOf(client: Client, id: string): Promise<AlertOut[]> {
  const alerts: AlertOut[] = [];
  for await (const page of unresolvedAlerts(client))
    alerts.push(...page.filter((alert) => alert.clusterId === id));
  return alerts;
}

interface ClusterState {
  readonly cluster: ClusterOut;
  readonly billing: z.output<typeof ClusterBillingOut>;
  readonly alerts: readonly AlertOut[];
}

async function show({ out }: CliContext, { cluster, billing, alerts }: ClusterState): Promise<void> {
  await out.details(detailsOf(cluster));
  if (billing.intervals.length === 0) {
    await out.line('\nthe cluster was never billed');
  } else {
    await out.line();
    await out.table(
      [
        { title: 'BILLED FROM', cell: ({ from }) => from },
        { title: 'TO', cell: ({ to }) => to ?? 'still billed' },
        { title: 'OPENED BY', isWide: true, cell: ({ openedBy }) => openedBy },
        { title: 'CLOSED BY', isWide: true, cell: ({ closedBy }) => closedBy },
      ],
      billing.intervals,
    );
  }
  if (alerts.length === 0) return out.line('\nno unresolved alerts');
  await out.line();
  await out.table(ALERT_COLUMNS, alerts);
}

function detailsOf({ lastVerdict, halted, ...cluster }: ClusterOut): Detail[] {
  const verdict =
    lastVerdict === undefined
      ? 'none'
      : `${lastVerdict.state} (${lastVerdict.code}) since ${lastVerdict.since}`;
  return [
    ['cluster', cluster.clusterId],
    ['name', cluster.name],
    ['account', cluster.accountId],
    ['status', cluster.status],
    ['stopped by', cluster.stoppedBy.join(', ') || undefined],
    ['registered at', cluster.registeredAt],
    ['deleted at', cluster.deletedAt],
    ['billed since', cluster.billedSince],
    ['connection', cluster.connection],
    ['last verdict', lastVerdict?.detail === undefined ? verdict : `${verdict}: ${lastVerdict.detail}`],
    ['last seen alive', cluster.lastSeen],
    ...(cluster.verifiedGone === true ? [['verified gone', 'yes'] as const] : []),
    ...(halted === undefined ? [] : [['halted', `at position ${halted.position}: ${halted.why}`] as const]),
    ['last position', cluster.lastPosition],
  ];
}
