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
    .summary('one cluster: its state, what is billed of it, its alerts')
    .description(
      'Shows one cluster: its state, what the last probe saw, the intervals in which it is billed, and its alerts that are not resolved.',
    )
    .argument('<id>', 'the id of a cluster', clusterId)
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
        const found = { cluster, billing, alerts };
        await (options.json === true ? cli.out.json(found) : show(cli, found));
      }),
    );
  withJson(withTarget(command), 'print the cluster, its billing and its alerts as one JSON document');
}

async function alertsOf(client: Client, id: string): Promise<AlertOut[]> {
  const alerts: AlertOut[] = [];
  for await (const some of unresolvedAlerts(client))
    alerts.push(...some.filter((alert) => alert.clusterId === id));
  return alerts;
}

interface Found {
  readonly cluster: ClusterOut;
  readonly billing: z.output<typeof ClusterBillingOut>;
  readonly alerts: readonly AlertOut[];
}

async function show({ out }: CliContext, { cluster, billing, alerts }: Found): Promise<void> {
  await out.details(detailsOf(cluster));
  if (billing.intervals.length === 0) {
    await out.line('\nno time of it is billed');
  } else {
    await out.line();
    await out.table(
      [
        { title: 'BILLED FROM', cell: ({ from }) => from },
        { title: 'TO', cell: ({ to }) => to ?? 'still billed' },
        { title: 'OPENED BY', cell: ({ openedBy }) => openedBy },
        { title: 'CLOSED BY', cell: ({ closedBy }) => closedBy },
      ],
      billing.intervals,
    );
  }
  if (alerts.length === 0) return out.line('\nno alert of it is open');
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
