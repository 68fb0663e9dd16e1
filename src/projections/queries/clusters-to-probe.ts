import type { Instant } from '../../domain/time.ts';
import { clusterStateOf } from '../../domain/validation/judging/cluster-state.ts';
import { type Policies, policyFor } from '../../domain/validation/judging/policy.ts';
import type { ClusterState } from '../../domain/validation/judging/run-input.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** A cluster that a run of the validator probes, with its current state in the ledger. */
export interface ClusterToProbe {
  readonly clusterId: string;
  readonly accountId: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Reference to its credentials. */
  readonly connection: string | undefined;
  readonly state: ClusterState;
}

/** Yields the registered clusters, and the deleted ones that their policy still watches. */
export function* clustersToProbe(
  model: LedgerModel,
  policies: Policies,
  now: Instant,
): Generator<ClusterToProbe> {
  for (let cluster = 0; cluster < model.clusters.size; cluster++) {
    if (model.unreadable(cluster) !== undefined) continue;
    const found = clusterToProbe(model, cluster, now);
    if (found === undefined || found.state.registeredAt > now) continue;
    const { deletedAt } = found.state;
    if (deletedAt === undefined || deletedAt > now - policyFor(policies, found).watchDeletedFor) yield found;
  }
}

/** Returns the input of the validator for a cluster; `undefined` if the cluster is not registered. */
export function clusterToProbe(
  model: LedgerModel,
  cluster: ClusterNumber,
  now: Instant,
): ClusterToProbe | undefined {
  const billing = model.billing(cluster, model.position);
  const state = clusterStateOf(billing, model.isUnreachable(cluster), now);
  if (state === undefined) return undefined;
  const { accountId = '', labels, connection } = model.attributes(cluster, now);
  return {
    clusterId: model.clusters.text(cluster),
    accountId,
    labels,
    connection,
    state,
  };
}
