import { type ClusterBilling, valueAt } from '../../billing/billing.ts';
import type { Cause } from '../../facts/fact.ts';
import type { Instant } from '../../time.ts';
import type { ClusterState } from './run-input.ts';

/** Returns the state of a cluster at `now`, or `undefined` if no registration is known. */
export function clusterStateOf(
  { registration, deletion, switches, attributes }: ClusterBilling,
  unreachable: boolean,
  now: Instant,
): ClusterState | undefined {
  if (registration === undefined) return undefined;
  const stopOf = (cause: Cause) => {
    const last = switches[cause].findLast(({ at }) => at <= now);
    return last?.stops === true ? last.at : undefined;
  };
  const registeredAt = registration.fact.effectiveAt;
  return {
    registeredAt,
    deletedAt: deletion?.fact.effectiveAt,
    billable: valueAt(attributes.billable, Math.max(now, registeredAt)) ?? true,
    unreachable,
    stoppedSince: stopOf('unreachable'),
    missingSince: stopOf('missing'),
    isStoppedManually: stopOf('manual') !== undefined,
  };
}
