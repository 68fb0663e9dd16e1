import type { Instant } from '../../domain/time.ts';
import { clusterStateOf } from '../../domain/validation/judging/cluster-state.ts';
import { type Policies, policyFor } from '../../domain/validation/judging/policy.ts';
import type { ClusterState } from '../../domain/validation/judging/run-input.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** A cluster that a run of the validator probes, as the ledger has it when asked. */
export interface ClusterToProbe {
  readonly clusterId: string;
  readonly accountId: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Where its credentials are kept, as its registration says. */
  readonly connection: string | undefined;
  readonly state: ClusterState;
}

/** Every cluster registered by now and not deleted, and those deleted no longer ago than their policy watches them. */
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

/** What the validator must know of a cluster; `undefined` of one that is not registered. */
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
