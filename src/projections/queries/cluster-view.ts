import { type ClusterBilling, causesStopping, isBilledAt } from '../../domain/billing/billing.ts';
import type { ClusterStatus } from '../../domain/billing/cluster-status.ts';
import type { Cause } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { Details, LedgerModel, UnreadableCluster } from '../model/ledger-model.ts';

/** A cluster as it is now, by all facts known. */
export interface ClusterView {
  readonly clusterId: string;
  /**
   * `orphan`: facts, but no registration. `deleted`. `free`: registered as not billable. `pending`: its
   * registration is still ahead. `stopped`: a cause holds billing. `billed`.
   */
  readonly status: ClusterStatus;
  readonly accountId: string | undefined;
  readonly billable: boolean | undefined;
  readonly details: Details | undefined;
  readonly registeredAt: Instant | undefined;
  readonly deletedAt: Instant | undefined;
  /** Since when it has been billed without a break; `undefined` where it is not billed now. */
  readonly billedSince: Instant | undefined;
  readonly stoppedBy: readonly Cause[];
  readonly lastPosition: number;
  readonly halt: UnreadableCluster | undefined;
}

export function viewCluster(model: LedgerModel, cluster: ClusterNumber, now: Instant): ClusterView {
  const billing = model.billing(cluster, model.position);
  const { registration, deletion, intervals, switches } = billing;
  return {
    clusterId: model.clusters.text(cluster),
    status: statusOf(billing, now),
    accountId: registration?.fact.accountId,
    billable: registration?.fact.billable,
    details: registration === undefined ? undefined : model.detailsAt(registration.order),
    registeredAt: registration?.fact.effectiveAt,
    deletedAt: deletion?.fact.effectiveAt,
    billedSince: intervals.find(({ from, to }) => from <= now && (to === null || now < to))?.from,
    stoppedBy: causesStopping(switches, now),
    lastPosition: model.lastPositionOf(cluster),
    halt: model.haltOf(cluster),
  };
}

function statusOf({ registration, deletion, intervals }: ClusterBilling, now: Instant): ClusterStatus {
  if (registration === undefined) return 'orphan';
  if (deletion !== undefined && deletion.fact.effectiveAt <= now) return 'deleted';
  if (!registration.fact.billable) return 'free';
  if (registration.fact.effectiveAt > now) return 'pending';
  return isBilledAt(intervals, now) ? 'billed' : 'stopped';
}
