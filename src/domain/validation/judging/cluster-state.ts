import type { ClusterBilling } from '../../billing/billing.ts';
import type { Instant } from '../../time.ts';
import type { ClusterState } from './run-input.ts';

/** Returns the state of a cluster at `now`, or `undefined` if no registration is known. */
export function clusterStateOf(
  { registration, deletion, switches }: ClusterBilling,
  unreachable: boolean,
  now: Instant,
): ClusterState | undefined {
  if (registration === undefined) return undefined;
  const stop = switches.unreachable.findLast(({ at }) => at <= now);
  return {
    registeredAt: registration.fact.effectiveAt,
    deletedAt: deletion?.fact.effectiveAt,
    billable: registration.fact.billable,
    unreachable,
    stoppedSince: stop?.stops === true ? stop.at : undefined,
  };
}
