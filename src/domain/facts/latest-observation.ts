import type { Instant } from '../time.ts';
import type { OrderedFact } from './fact.ts';

interface DatedFact {
  readonly type: string;
  readonly effectiveAt: Instant;
}

/**
 * Returns whether the latest observation of a cluster is `ClusterUnreachable`. If two observations are effective at the
 * same instant, the one recorded last counts.
 * @param activeFacts the facts of one cluster without the voided ones, in any order.
 */
export function isUnreachable(activeFacts: readonly OrderedFact<DatedFact>[]): boolean {
  let latest: OrderedFact<DatedFact> | undefined;
  for (const candidate of activeFacts) {
    const { type, effectiveAt } = candidate.fact;
    if (type !== 'ClusterUnreachable' && type !== 'ClusterReachable') continue;
    const isLater =
      latest === undefined ||
      effectiveAt > latest.fact.effectiveAt ||
      (effectiveAt === latest.fact.effectiveAt && candidate.order > latest.order);
    if (isLater) latest = candidate;
  }
  return latest?.fact.type === 'ClusterUnreachable';
}
