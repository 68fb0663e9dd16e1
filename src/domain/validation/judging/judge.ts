import { type ClusterConclusions, conclude } from './conclude.ts';
import { type Condition, conditionId } from './condition.ts';
import { assessOutage, type Breaker, countedRunsAfter, massDisappearance } from './outage.ts';
import { policyFor } from './policy.ts';
import {
  isSameVerdict,
  NO_HISTORY,
  type ProbeHistory,
  withIdentityCheck,
  withListing,
  withVerdict,
} from './probe-history.ts';
import { clusterConditions, outageCondition } from './raise-conditions.ts';
import type { ClusterEvaluation, Conclusion, ProbedCluster, RunInput } from './run-input.ts';
import type { Verdict } from './verdict.ts';

/** Source of the facts that the validator records. `RunValidation` (src/usecases) shows how a run uses `judgeRun`. */
export const VALIDATOR_SOURCE = 'urn:cluster-ledger:validator';

export interface JudgedVerdict {
  readonly clusterId: string;
  /** The verdict after the identity check, which can turn it into `identity-mismatch`. */
  readonly verdict: Verdict;
  /** Whether the verdict differs from that of the previous run. */
  readonly isChanged: boolean;
}

export interface Judgement {
  /** Facts to append, ordered by cluster id; the facts of one cluster stay in order. */
  readonly facts: readonly Conclusion[];
  /** Facts that the mode `enforce` would also have appended. */
  readonly wouldHave: readonly Conclusion[];
  readonly verdicts: readonly JudgedVerdict[];
  /** All conditions that are true now. The next run reports a condition again for as long as it lasts. */
  readonly conditions: readonly Condition[];
  readonly breaker: Breaker;
  /** Whether the breaker withheld facts. */
  readonly isWithheld: boolean;
  /** Ids of the deleted clusters that probes have found gone. */
  readonly verifiedGone: readonly string[];
  /** Probe history of each cluster, for the next run. */
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
  // An operator who overrides the breaker accepts all verdicts so far, so none is excluded.
  const countedRuns = isOverridden ? undefined : breaker.countedRuns;

  const mass = isOverridden ? new Set<string>() : massDisappearance(assessed, input.policies.breaker);
  const conclusions = evaluations.map((evaluation) =>
    conclude(evaluation, input, { isWithheld, countedRuns, massDisappearance: mass }),
  );
  const conditions = evaluations.flatMap((evaluation, i) =>
    clusterConditions(evaluation, conclusions[i] as ClusterConclusions, { ...input, breaker, mass }),
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

/** Returns one condition per id. The last one wins: conditions from the inventory itself are more precise. */
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
    historyAfter: withListing(withVerdict(historyBefore, verdict, tick), cluster.inventory, tick),
    isDeleted: deletedAt !== undefined && deletedAt <= decidedAt,
  };
}

/** Maximum length of the detail of a verdict, in characters. */
const MAX_DETAIL_CHARS = 300;

function withShortDetail(verdict: Verdict): Verdict {
  const { detail } = verdict;
  return detail === undefined
    ? verdict
    : { ...verdict, detail: detail.slice(0, MAX_DETAIL_CHARS).toWellFormed() };
}
