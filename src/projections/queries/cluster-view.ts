import { type ClusterBilling, causesStopping, isBilledAt, valueAt } from '../../domain/billing/billing.ts';
import type { ClusterStatus } from '../../domain/billing/cluster-status.ts';
import { isNotice } from '../../domain/facts/decide-fact.ts';
import type { Cause, ClusterAttributes } from '../../domain/facts/fact.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { UnreadableEvent } from '../model/closed-periods.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** State of a cluster at an instant, by the facts that were known at a position. */
export interface ClusterView {
  readonly clusterId: string;
  /**
   * `orphan`: facts, but no registration. `voided`: the same, and all facts are voided. `deleted`: the deletion is effective. `free`: not billable. `pending`: the
   * registration is in the future. `stopped`: a cause stops billing. `billed`: none of these.
   */
  readonly status: ClusterStatus;
  /** The attributes as they are now, or at the registration if that is ahead; empty for an orphan. */
  readonly attributes: ClusterAttributes;
  readonly registeredAt: Instant | undefined;
  readonly deletedAt: Instant | undefined;
  /** Start of the current billed interval; `undefined` if the cluster is not billed now. */
  readonly billedSince: Instant | undefined;
  readonly stoppedBy: readonly Cause[];
  readonly lastPosition: Position;
  readonly unreadable: UnreadableEvent | undefined;
}

/** Returns a cluster at an instant, by all known facts. */
export function viewCluster(model: LedgerModel, cluster: ClusterNumber, now: Instant): ClusterView {
  return view(model, cluster, now, { asOf: model.position, lastPosition: model.lastPositionOf(cluster) });
}

/** Returns a cluster at an instant, as known at a position; `undefined` if none of its facts was known. */
export function viewClusterAt(
  model: LedgerModel,
  cluster: ClusterNumber,
  now: Instant,
  asOf: Position,
): ClusterView | undefined {
  const facts = model.facts.chain(model.lastPositionOf(cluster));
  const lastPosition = facts.find((position) => position <= asOf);
  return lastPosition === undefined ? undefined : view(model, cluster, now, { asOf, lastPosition });
}

function view(
  model: LedgerModel,
  cluster: ClusterNumber,
  now: Instant,
  { asOf, lastPosition }: { readonly asOf: Position; readonly lastPosition: Position },
): ClusterView {
  const billing = model.billing(cluster, asOf);
  const unreadable = model.unreadable(cluster);
  const { registration, deletion, intervals, switches } = billing;
  return {
    clusterId: model.clusters.text(cluster),
    status:
      registration === undefined && !hasActiveFacts(model, cluster, asOf) ? 'voided' : statusOf(billing, now),
    attributes: model.attributes(cluster, now, asOf),
    registeredAt: registration?.fact.effectiveAt,
    deletedAt: deletion?.fact.effectiveAt,
    billedSince: intervals.find(({ from, to }) => from <= now && (to === null || now < to))?.from,
    stoppedBy: causesStopping(switches, now),
    lastPosition,
    unreadable: unreadable !== undefined && unreadable.position <= asOf ? unreadable : undefined,
  };
}

/**
 * Returns the time for which a cluster is billed in a window to the account that owns it, in milliseconds.
 * @param counted the window, already cut at the instant asked about
 */
export function billedToOwner(
  model: LedgerModel,
  cluster: ClusterNumber,
  { attributes }: Pick<ClusterView, 'attributes'>,
  counted: Window,
  asOf: Position,
): number {
  return model
    .intervals(cluster, asOf)
    .filter(({ accountId }) => accountId === attributes.accountId)
    .map(({ from, to }) => Math.min(to ?? counted.to, counted.to) - Math.max(from, counted.from))
    .reduce((sum, ms) => sum + Math.max(0, ms), 0);
}

/** Returns whether any fact of a cluster is active. The notices of the ledger itself do not count: they cannot be voided. */
function hasActiveFacts(model: LedgerModel, cluster: ClusterNumber, asOf: Position): boolean {
  return model.activeFacts(cluster, asOf).some(({ fact }) => !isNotice(fact));
}

function statusOf(billing: ClusterBilling, now: Instant): ClusterStatus {
  const { registration, deletion, intervals, attributes } = billing;
  if (registration === undefined) return 'orphan';
  if (deletion !== undefined && deletion.fact.effectiveAt <= now) return 'deleted';
  const isBillable = valueAt(attributes.billable, Math.max(now, registration.fact.effectiveAt)) ?? true;
  if (!isBillable) return 'free';
  if (registration.fact.effectiveAt > now) return 'pending';
  return isBilledAt(intervals, now) ? 'billed' : 'stopped';
}
