import { usageOf } from '../../domain/billing/usage-meter.ts';
import type { Instant } from '../../domain/time.ts';
import type { Verdict } from '../../domain/validation/judging/verdict.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import type { Alert } from '../alerts/raised-alert.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** A billed cluster that the validator cannot decide about, with the evidence. */
export interface UndecidedCluster {
  readonly clusterId: string;
  readonly accountId: string | undefined;
  readonly name: string;
  readonly connection: string | undefined;
  readonly registeredAt: Instant;
  readonly alerts: readonly Alert[];
  readonly last: Verdict | undefined;
  readonly lastAliveAt: Instant | undefined;
  readonly lastListedAt: Instant | undefined;
  /** Time billed so far, in seconds with 3 decimal places. */
  readonly clusterSeconds: string;
}

/** Returns the clusters that have an unresolved alert of one of some kinds, by id. */
export function undecidedClusters(
  model: LedgerModel,
  kinds: readonly string[],
  now: Instant,
): readonly UndecidedCluster[] {
  const alerts = model.alerts
    .all(now, [])
    .filter(
      ({ kind, clusterId, resolvedAt }) => kinds.includes(kind) && clusterId && resolvedAt === undefined,
    );
  const byCluster = Map.groupBy(alerts, ({ clusterId }) => clusterId as string);
  return Array.from(byCluster, ([clusterId, own]) => undecidedCluster(model, clusterId, own, now))
    .filter((found) => found !== undefined)
    .sort((a, b) => compareCodeUnits(a.clusterId, b.clusterId));
}

function undecidedCluster(
  model: LedgerModel,
  clusterId: string,
  alerts: readonly Alert[],
  now: Instant,
): UndecidedCluster | undefined {
  const cluster = model.clusters.find(clusterId);
  const registration =
    cluster === undefined ? undefined : model.billing(cluster, model.position).registration;
  if (cluster === undefined || registration === undefined) return undefined;
  const { accountId, name = clusterId, connection } = model.attributes(cluster, now);
  const registeredAt = registration.fact.effectiveAt;
  const history = model.validations.historyOf(clusterId);
  const counted = { from: Math.min(registeredAt, now), to: now };
  const { usage } = usageOf([model.intervals(cluster, model.position)], counted);
  return {
    clusterId,
    accountId,
    name,
    connection,
    registeredAt,
    alerts,
    last: history?.last,
    lastAliveAt: history?.aliveAt,
    lastListedAt: history?.listing?.listedAt,
    clusterSeconds: usage.clusterSeconds,
  };
}
