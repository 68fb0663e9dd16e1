import type { Fact } from '../../facts/fact.ts';
import type { InventoryStatus } from '../../inventory.ts';
import type { Instant } from '../../time.ts';
import type { Condition } from './condition.ts';
import type { Breaker } from './outage.ts';
import type { Policies, Policy } from './policy.ts';
import type { ProbeHistory } from './probe-history.ts';
import type { Verdict } from './verdict.ts';

/** State of a cluster in the ledger at the time of the judgement. */
export interface ClusterState {
  readonly registeredAt: Instant;
  /** Effective instant of its deletion, in the past or in the future. */
  readonly deletedAt: Instant | undefined;
  readonly billable: boolean;
  /** Whether its latest active observation is `ClusterUnreachable`. */
  readonly unreachable: boolean;
  /** Effective instant of the stop that the cause `unreachable` has in effect; `undefined` if there is none. */
  readonly stoppedSince: Instant | undefined;
  /** Effective instant of the stop that the cause `missing` has in effect; `undefined` if there is none. */
  readonly missingSince: Instant | undefined;
  /** Whether an operator has stopped its billing. */
  readonly isStoppedManually: boolean;
}

/**
 * Returns whether a cluster is billed, or would be if the validator had not stopped its billing. Nobody needs to look
 * at any other cluster.
 */
export function mayBeBilled({ billable, isStoppedManually }: ClusterState): boolean {
  return billable && !isStoppedManually;
}

/** Returns whether a cluster that is not deleted is billed now. */
export function isBilled(state: ClusterState): boolean {
  return mayBeBilled(state) && state.stoppedSince === undefined && state.missingSince === undefined;
}

export interface ProbedCluster {
  readonly clusterId: string;
  readonly accountId: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly state: ClusterState;
  readonly inventory: InventoryStatus;
  /** The history after the previous run; `undefined` in the first run of the cluster. */
  readonly history: ProbeHistory | undefined;
  /** The verdict as the probe returned it. */
  readonly verdict: Verdict;
}

export interface RunInput {
  /** Id of the run, as `runId` returns it. */
  readonly run: string;
  /** Name of the shard, such as `1of1`. It is the subject of the alert of an outage. */
  readonly shard: string;
  /** Nominal instant of the run. Thresholds are measured from tick to tick. */
  readonly tick: Instant;
  /** Instant of the judgement; no verdict is later. */
  readonly decidedAt: Instant;
  readonly policies: Policies;
  readonly breaker: Breaker;
  /** Until when an operator has overridden an open breaker. */
  readonly proceedUntil: Instant | undefined;
  /** The clusters of the run, in any order. */
  readonly clusters: readonly ProbedCluster[];
  /** Conditions that were found elsewhere in the same run, such as unregistered clusters. */
  readonly conditions?: readonly Condition[];
}

/** A fact with the CloudEvents id under which it is recorded. The id is the same whenever the same run is judged. */
export interface Conclusion {
  readonly id: string;
  readonly fact: Fact;
}

/** One cluster with its policy and its history before and after this run. */
export interface ClusterEvaluation {
  readonly cluster: ProbedCluster;
  readonly policy: Policy;
  readonly verdict: Verdict;
  readonly historyBefore: ProbeHistory;
  readonly historyAfter: ProbeHistory;
  readonly isDeleted: boolean;
}
