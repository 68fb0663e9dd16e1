import type { BillingFact } from '../billing/billing.ts';
import type { KnownFact } from './fact.ts';

/**
 * Returns whether the latest observation among active facts says that the cluster is unreachable. Of two at one instant the one
 * with the greater event id decides, so that the order of arrival does not matter.
 */
export function isUnreachable(active: readonly KnownFact<BillingFact>[]): boolean {
  let latest: KnownFact<BillingFact> | undefined;
  for (const known of active) {
    const { type, effectiveAt } = known.fact;
    if (type !== 'ClusterUnreachable' && type !== 'ClusterReachable') continue;
    const isLater =
      latest === undefined ||
      effectiveAt > latest.fact.effectiveAt ||
      (effectiveAt === latest.fact.effectiveAt && known.eventId > latest.eventId);
    if (isLater) latest = known;
  }
  return latest?.fact.type === 'ClusterUnreachable';
}
