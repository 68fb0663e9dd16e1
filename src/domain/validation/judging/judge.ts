import { type ClusterConclusions, conclude } from './conclude.ts';
import { type Condition, conditionId } from './condition.ts';
import { assessOutage, type Breaker, countedRunsAfter } from './outage.ts';
import { policyFor } from './policy.ts';
import {
  isSameVerdict,
  NO_HISTORY,
  type ProbeHistory,
  withIdentityCheck,
  withVerdict,
} from './probe-history.ts';
import { clusterConditions, outageCondition } from './raise-conditions.ts';
import type { ClusterEvaluation, Conclusion, ProbedCluster, RunInput } from './run-input.ts';
import type { Verdict } from './verdict.ts';

/** Source of the facts that the validator records. `RunValidation` (src/usecases) describes how a run uses `judgeRun`. */
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
  readonly histories: ReadonlyMap<string, ProbeHistory>;
}

export function judgeRun(input: RunInput): Judgement {
  const evaluations = [...input.clusters]
    .sort((a, b) => (a.clusterId < b.clusterId ? -1 : 1))
    .map((cluster) => evaluate(cluster, input));
  const existing = evaluations.filter(({ isDeleted }) => !isDeleted);
  const assessed = existing.map(({ cluster: { clusterId }, historyAfter: history }) => ({
    clusterId,
    history,
  }));
  const outage = assessOutage(assessed, input.breaker, input.policies.breaker, input.tick);
  const isOverridden = input.proceedUntil !== undefined && input.decidedAt < input.proceedUntil;
  const isWithheld = outage.open && !isOverridden;
  const breaker = { ...outage, ...countedRunsAfter(input.breaker, isWithheld, input.tick) };
  // Who has decided that the clusters are gone has decided it of all that was seen.
  const countedRuns = isOverridden ? undefined : breaker.countedRuns;

  const conclusions = evaluations.map((evaluation) =>
    conclude(evaluation, input, { isWithheld, countedRuns }),
  );
  const conditions = evaluations.flatMap((evaluation, i) =>
    clusterConditions(evaluation, conclusions[i] as ClusterConclusions, input),
  );
  return {
    facts: conclusions.flatMap(({ facts }) => facts),
    wouldHave: conclusions.flatMap(({ wouldHave }) => wouldHave),
    verdicts: evaluations.map(({ cluster: { clusterId }, verdict, historyBefore }) => ({
      clusterId,
      verdict,
      isChanged: !isSameVerdict(historyBefore.last, verdict),
    })),
    conditions: uniqueById([
      ...outageCondition(breaker, input.shard),
      ...conditions,
      ...(input.conditions ?? []),
    ]),
    breaker,
    isWithheld,
    verifiedGone: evaluations
      .filter((_, i) => conclusions[i]?.announced.gone === true)
      .map(({ cluster }) => cluster.clusterId),
    histories: new Map(
      evaluations.map(({ cluster, historyAfter }, i) => [
        cluster.clusterId,
        { ...historyAfter, announced: (conclusions[i] as ClusterConclusions).announced },
      ]),
    ),
  };
}

/** Of those with the same id the last: who looked into the inventory itself knows more of it. */
function uniqueById(conditions: readonly Condition[]): Condition[] {
  return [...new Map(conditions.map((condition) => [conditionId(condition), condition])).values()];
}

function evaluate(cluster: ProbedCluster, { policies, tick, decidedAt }: RunInput): ClusterEvaluation {
  const historyBefore = cluster.history ?? NO_HISTORY;
  const at = Math.min(Math.max(cluster.verdict.at, tick), decidedAt);
  const verdict = withIdentityCheck(historyBefore, { ...withShortDetail(cluster.verdict), at });
  const { deletedAt } = cluster.state;
  return {
    cluster,
    policy: policyFor(policies, cluster),
    verdict,
    historyBefore,
    historyAfter: withVerdict(historyBefore, verdict, tick),
    isDeleted: deletedAt !== undefined && deletedAt <= decidedAt,
  };
}

/** What is said for people of one verdict is cut to so many characters. */
const MAX_DETAIL_CHARS = 300;

function withShortDetail(verdict: Verdict): Verdict {
  const { detail } = verdict;
  return detail === undefined
    ? verdict
    : { ...verdict, detail: detail.slice(0, MAX_DETAIL_CHARS).toWellFormed() };
}
