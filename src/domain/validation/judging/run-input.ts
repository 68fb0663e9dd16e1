import type { Fact } from '../../facts/fact.ts';
import type { InventoryStatus } from '../../inventory.ts';
import type { Instant } from '../../time.ts';
import type { Condition } from './condition.ts';
import type { Breaker } from './outage.ts';
import type { Policies, Policy } from './policy.ts';
import type { ProbeHistory } from './probe-history.ts';
import type { Verdict } from './verdict.ts';

/** What the ledger says of a cluster when it is judged. */
export interface ClusterState {
  readonly registeredAt: Instant;
  /** Where its deletion is effective, now or later. */
  readonly deletedAt: Instant | undefined;
  readonly billable: boolean;
  /** Whether the latest of its observations that count is `ClusterUnreachable`. */
  readonly unreachable: boolean;
  /** Effective instant of the stop by which the cause `unreachable` holds now; `undefined` where it does not. */
  readonly stoppedSince: Instant | undefined;
}

export interface ProbedCluster {
  readonly clusterId: string;
  readonly accountId: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly state: ClusterState;
  readonly inventory: InventoryStatus;
  /** As the runs before left it; `undefined` where this is its first. */
  readonly history: ProbeHistory | undefined;
  /** As the probe gave it. */
  readonly verdict: Verdict;
}

export interface RunInput {
  /** Id of the run, as `runId` gives it. */
  readonly run: string;
  /** The shard, as `1of1`; it names the alert of an outage. */
  readonly shard: string;
  /** The instant that the run stands for: thresholds are counted from tick to tick. */
  readonly tick: Instant;
  /** When it is judged; no verdict is later. */
  readonly decidedAt: Instant;
  readonly policies: Policies;
  readonly breaker: Breaker;
  /** Until then an operator has decided to go on with the breaker open. */
  readonly proceedUntil: Instant | undefined;
  /** In any order. */
  readonly clusters: readonly ProbedCluster[];
  /** Conditions found elsewhere in the same run, such as what runs and was never registered. */
  readonly conditions?: readonly Condition[];
}

/** A fact, and the CloudEvents id under which it is recorded: the same whenever the same run is judged. */
export interface Conclusion {
  readonly id: string;
  readonly fact: Fact;
}

/** One cluster on its way through a run. */
export interface ClusterEvaluation {
  readonly cluster: ProbedCluster;
  readonly policy: Policy;
  readonly verdict: Verdict;
  readonly historyBefore: ProbeHistory;
  readonly historyAfter: ProbeHistory;
  readonly isDeleted: boolean;
}
