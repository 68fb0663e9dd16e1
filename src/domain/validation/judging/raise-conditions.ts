import { isGoneFromInventory } from '../../inventory.ts';
import { formatInstant } from '../../time.ts';
import type { ClusterConclusions } from './conclude.ts';
import type { Condition, ConditionKind } from './condition.ts';
import type { Breaker } from './outage.ts';
import { missingForOf } from './policy.ts';
import { type ClusterEvaluation, isBilled, mayBeBilled, type RunInput } from './run-input.ts';
import { hasAnswered, saysNothing } from './verdict.ts';

/** Number of runs in a row that do not accept the credential, after which an alert is raised. */
export const EXPIRED_AFTER_RUNS = 3;

export function outageCondition(breaker: Breaker, shard: string): readonly Condition[] {
  if (!breaker.open) return [];
  const { why, since, bad, of, canaries } = breaker;
  const named = canaries.length > 0 ? { canaries: canaries.slice(0, 10).join(', ') } : {};
  const data = { why, since: formatInstant(since), bad, of, ...named };
  return [{ kind: 'mass-unreachable', subject: shard, data }];
}

/** The state of a run that the conditions of its clusters depend on. */
interface RunState extends Pick<RunInput, 'tick'> {
  readonly breaker: Breaker;
  /** Ids of the clusters that are part of a mass disappearance from the inventory. */
  readonly mass: ReadonlySet<string>;
}

/**
 * Returns the conditions of one cluster, none of which contradicts another. There is none about a cluster that is not billed
 * and cannot be. Under `observe`, probes raise only those that need a person whatever the mode is.
 */
export function clusterConditions(
  evaluation: ClusterEvaluation,
  concluded: ClusterConclusions,
  { tick, breaker, mass }: RunState,
): Condition[] {
  const { cluster, policy, verdict, historyAfter, isDeleted } = evaluation;
  const { clusterId: subject, accountId, state } = cluster;
  const conditions: Condition[] = [];
  const add = (kind: ConditionKind, data: Condition['data']) =>
    conditions.push({ kind, subject, accountId, data: { ...data, policy: policy.policy } });
  if (isDeleted) {
    const { deletedAt } = state;
    const isSeen = hasAnswered(verdict) && (historyAfter.aliveAt ?? 0) > (deletedAt ?? 0);
    if (isSeen && policy.mode !== 'observe')
      add('alive-after-delete', { code: verdict.code, deletedAt: formatInstant(deletedAt ?? 0) });
    return conditions;
  }
  if (!mayBeBilled(state)) return conditions;
  const last = historyAfter.last ?? verdict;
  const { code, detail } = last;
  const seen = { code, ...(detail !== undefined && { detail }), since: formatInstant(last.at) };

  // A stop of this run has an alert of its own, which these would contradict.
  const isBilledAfter =
    isBilled(state) && !concluded.facts.some(({ fact }) => fact.type === 'BillingStopped');
  if (saysNothing(verdict) && isBilledAfter) add('unverifiable', seen);
  if (verdict.state === 'alive') {
    const isRefused = code === 'unauthorized' || code === 'front';
    if (isRefused && historyAfter.lastRuns >= EXPIRED_AFTER_RUNS) add('credential-expired', seen);
    if (code.startsWith('certificate-')) add('certificate-expired', seen);
  }
  if (concluded.isNeverVerified && !policy.stopNeverSeen && !isOutageOfAll(breaker))
    add('never-verified', {
      ...seen,
      since: formatInstant(historyAfter.bad?.from ?? tick),
      registeredAt: formatInstant(state.registeredAt),
    });
  if (isGoneFromInventory(cluster.inventory) && isBilledAfter) add('billed-but-missing', missingData());
  if (policy.mode === 'observe') return conditions;
  if (concluded.isFlapping) add('flapping', { flips: historyAfter.flips.length, limit: policy.flapLimit });
  if (concluded.isUnconfirmed) {
    const { inventory } = cluster;
    add('stop-unconfirmed', { ...seen, inventory, since: formatInstant(historyAfter.bad?.from ?? tick) });
  }
  return conditions;

  function missingData(): Condition['data'] {
    const { listing } = historyAfter;
    const missingFor = missingForOf(policy, cluster);
    const isHosted = cluster.inventory === 'gone';
    const held = !isHosted ? 'host' : mass.has(subject) ? 'mass' : undefined;
    const stopsAt =
      missingFor === undefined || listing?.goneSince === undefined || held !== undefined
        ? undefined
        : formatInstant(listing.goneSince + missingFor);
    return {
      ...(listing?.listedAt !== undefined && { lastListedAt: formatInstant(listing.listedAt) }),
      ...(listing?.goneSince !== undefined && { goneSince: formatInstant(listing.goneSince) }),
      ...(held !== undefined && { held }),
      ...(stopsAt !== undefined && !hasAnswered(verdict) && { stopsAt }),
      ...(hasAnswered(verdict) && { answers: 1 }),
    };
  }
}

/** Returns whether the breaker is open because nothing at all answers, or because a cluster that is known to be up does not. */
function isOutageOfAll(breaker: Breaker): boolean {
  return breaker.open && breaker.why !== 'ratio';
}
