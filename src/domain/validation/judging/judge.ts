import { type Conclusions, conclude } from './conclude.ts';
import { type Condition, conditionId } from './condition.ts';
import { assessOutage, type Breaker, trustAfter } from './outage.ts';
import { policyFor } from './policy.ts';
import { isSame, NO_HISTORY, type ProbeHistory, verdictOn, withVerdict } from './probe-history.ts';
import { clusterConditions, outageCondition } from './raise-conditions.ts';
import type { ClusterEvaluation, Conclusion, ProbedCluster, RunInput } from './run-input.ts';
import type { Verdict } from './verdict.ts';

/**
 * From the verdicts of a run to facts: `judgeRun`, a pure function. How a run uses it:
 *
 * 1. Claim the run: `ValidationRuns.claim(runId(tick, shard), startRecord(…))`; somebody else may have it. Go on once the
 *    projections have seen the claim, and no earlier run of the shard is under way (`ValidationBook.underWay(now)`).
 * 2. Probe `clustersToProbe(model, policies, now)`, those of the shard. A long run may append `ValidationProgressed`.
 * 3. `judgeRun`, with `watchOf(id)`, `breakerOf(shard)` and `decision?.until` of the `ValidationBook` (`model.validations`).
 * 4. Append `facts` through `Ledger.record` (`mayBackdate: true`), each with source `VALIDATOR_SOURCE` and its `id`.
 * 5. Then append `recordsOf(…)` with `lastOf(shard)` as `before`: its last, `ValidationCompleted`, makes the run count. Cut
 *    off before it, the run counts for nothing; facts that were appended already are found in the ledger by the next run and
 *    are not said twice.
 *
 * A run may be a shard of the fleet. The breaker then looks at the clusters of the shard alone: shards are cut by a hash, so
 * that each is a fair sample of the fleet, and none waits for another. `massLeast` counts within a shard, a canary is looked
 * for in the shard that it falls into, and a decision of an operator holds for all shards.
 */
export const VALIDATOR_SOURCE = 'urn:cluster-ledger:validator';

export interface JudgedVerdict {
  readonly clusterId: string;
  /** In the light of what was known of the cluster: `identity-mismatch` is found here. */
  readonly verdict: Verdict;
  /** Whether it says something else than that of the run before. */
  readonly isChanged: boolean;
}

export interface Judgement {
  /** To append, by cluster, those of a cluster in their order. */
  readonly facts: readonly Conclusion[];
  /** What `enforce` would have appended besides. */
  readonly wouldHave: readonly Conclusion[];
  readonly verdicts: readonly JudgedVerdict[];
  /** All that hold now; the next run gives them again for as long as they hold. */
  readonly conditions: readonly Condition[];
  readonly breaker: Breaker;
  /** Whether the breaker kept facts back. */
  readonly isWithheld: boolean;
  /** Deleted clusters that are gone, as the probes have it. */
  readonly verifiedGone: readonly string[];
  /** By cluster, for the next run. */
  readonly watches: ReadonlyMap<string, ProbeHistory>;
}

export function judgeRun(input: RunInput): Judgement {
  const cases = [...input.clusters]
    .sort((a, b) => (a.clusterId < b.clusterId ? -1 : 1))
    .map((cluster) => caseOf(cluster, input));
  const existing = cases.filter(({ isDeleted }) => !isDeleted);
  const asked = existing.map(({ cluster: { clusterId }, after: watch }) => ({ clusterId, watch }));
  const outage = assessOutage(asked, input.breaker, input.policies.breaker, input.tick);
  const isOverridden = input.proceedUntil !== undefined && input.decidedAt < input.proceedUntil;
  const isWithheld = outage.open && !isOverridden;
  const breaker = { ...outage, ...trustAfter(input.breaker, isWithheld, input.tick) };
  // Who has decided that the clusters are gone has decided it of all that was seen.
  const trust = isOverridden ? undefined : breaker.trust;

  const concluded = cases.map((each) => conclude(each, input, { isWithheld, trust }));
  const own = cases.flatMap((each, i) => clusterConditions(each, concluded[i] as Conclusions, input));
  return {
    facts: concluded.flatMap(({ facts }) => facts),
    wouldHave: concluded.flatMap(({ wouldHave }) => wouldHave),
    verdicts: cases.map(({ cluster: { clusterId }, verdict, before }) => ({
      clusterId,
      verdict,
      isChanged: !isSame(before.last, verdict),
    })),
    conditions: onceEach([...outageCondition(breaker, input.shard), ...own, ...(input.conditions ?? [])]),
    breaker,
    isWithheld,
    verifiedGone: cases
      .filter((_, i) => concluded[i]?.announced.gone === true)
      .map(({ cluster }) => cluster.clusterId),
    watches: new Map(
      cases.map(({ cluster, after }, i) => [
        cluster.clusterId,
        { ...after, announced: (concluded[i] as Conclusions).announced },
      ]),
    ),
  };
}

/** Of those with the same id the last: who looked into the inventory itself knows more of it. */
function onceEach(conditions: readonly Condition[]): Condition[] {
  return [...new Map(conditions.map((condition) => [conditionId(condition), condition])).values()];
}

function caseOf(cluster: ProbedCluster, { policies, tick, decidedAt }: RunInput): ClusterEvaluation {
  const before = cluster.watch ?? NO_HISTORY;
  const at = Math.min(Math.max(cluster.verdict.at, tick), decidedAt);
  const verdict = verdictOn(before, { ...inShort(cluster.verdict), at });
  const { deletedAt } = cluster.state;
  return {
    cluster,
    policy: policyFor(policies, cluster),
    verdict,
    before,
    after: withVerdict(before, verdict, tick),
    isDeleted: deletedAt !== undefined && deletedAt <= decidedAt,
  };
}

/** What is said for people of one verdict is cut to so many characters. */
const MOST_DETAIL = 300;

function inShort(verdict: Verdict): Verdict {
  const { detail } = verdict;
  return detail === undefined ? verdict : { ...verdict, detail: detail.slice(0, MOST_DETAIL).toWellFormed() };
}
