import type { Instant } from '../../domain/time.ts';
import { type Policies, policyFor } from '../../domain/validation/judging/policy.ts';
import type { ClusterState } from '../../domain/validation/judging/run-input.ts';
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
    if (model.haltOf(cluster) !== undefined) continue;
    const found = clusterToProbe(model, cluster, now);
    if (found === undefined || found.state.registeredAt > now) continue;
    const { deletedAt } = found.state;
    if (deletedAt === undefined || deletedAt > now - policyFor(policies, found).watchDeletedFor) yield found;
  }
}

/** What the validator must know of a cluster; `undefined` of one that is not registered. */
export function clusterToProbe(
  model: LedgerModel,
  cluster: number,
  now: Instant,
): ClusterToProbe | undefined {
  const { registration, deletion, switches } = model.billing(cluster, model.position);
  if (registration === undefined) return undefined;
  const stop = switches.unreachable.findLast(({ at }) => at <= now);
  const { accountId, billable, effectiveAt } = registration.fact;
  const { labels, connection } = model.detailsAt(registration.order) ?? {};
  return {
    clusterId: model.clusters.text(cluster),
    accountId,
    labels,
    connection,
    state: {
      registeredAt: effectiveAt,
      deletedAt: deletion?.fact.effectiveAt,
      billable,
      unreachable: model.isUnreachable(cluster),
      stoppedSince: stop?.stops === true ? stop.at : undefined,
    },
  };
}
