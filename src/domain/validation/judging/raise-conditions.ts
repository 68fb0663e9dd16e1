import { formatInstant } from '../../time.ts';
import type { ClusterConclusions } from './conclude.ts';
import type { Condition, ConditionKind } from './condition.ts';
import type { Breaker } from './outage.ts';
import type { ClusterEvaluation, RunInput } from './run-input.ts';
import { saysNothing } from './verdict.ts';

export function outageCondition(breaker: Breaker, shard: string): readonly Condition[] {
  if (!breaker.open) return [];
  const { why, since, bad, of, canaries } = breaker;
  const named = canaries.length > 0 ? { canaries: canaries.slice(0, 10).join(', ') } : {};
  const data = { why, since: formatInstant(since), bad, of, ...named };
  return [{ kind: 'mass-unreachable', subject: shard, data }];
}

/**
 * Returns the conditions of one cluster. Under `observe`, probes raise only `unverifiable`; the inventory is
 * compared in every mode.
 */
export function clusterConditions(
  evaluation: ClusterEvaluation,
  concluded: ClusterConclusions,
  { tick }: RunInput,
): Condition[] {
  const { cluster, policy, verdict, historyAfter, isDeleted } = evaluation;
  const { clusterId: subject, accountId, state, inventory } = cluster;
  const conditions: Condition[] = [];
  const add = (kind: ConditionKind, data: Condition['data']) =>
    conditions.push({ kind, subject, accountId, data: { ...data, policy: policy.policy } });
  const since = formatInstant(historyAfter.last?.at ?? tick);
  if (saysNothing(verdict) && !isDeleted) add('unverifiable', { code: verdict.code, since });
  const isBilled = state.billable && !isDeleted && state.stoppedSince === undefined;
  if (inventory === 'gone' && isBilled) add('billed-but-missing', {});
  if (policy.mode === 'observe') return conditions;
  if (isDeleted) {
    const { deletedAt } = state;
    const isSeen = verdict.state === 'alive' && (historyAfter.aliveAt ?? 0) > (deletedAt ?? 0);
    if (isSeen) add('alive-after-delete', { code: verdict.code, deletedAt: formatInstant(deletedAt ?? 0) });
    return conditions;
  }
  if (concluded.isFlapping) add('flapping', { flips: historyAfter.flips.length, limit: policy.flapLimit });
  if (concluded.isUnconfirmed) {
    add('stop-unconfirmed', { inventory, since: formatInstant(historyAfter.bad?.from ?? tick) });
  }
  return conditions;
}
