import type { ClusterBilling, Interval } from '../../domain/billing/billing.ts';
import { changesWithin } from '../../domain/billing/statement.ts';
import type { Window } from '../../domain/time.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import { toAccount } from './differences.ts';

/** What an account is billed of a cluster, and what it would be. */
export interface SimulatedCluster {
  readonly clusterId: string;
  readonly before: readonly Interval[];
  readonly after: readonly Interval[];
}

/**
 * What an account is billed of each of its clusters, as known at a position, and what it would be.
 * @param supposed how clusters would be billed, by id, where that is otherwise.
 */
export async function simulateClusters(
  model: LedgerModel,
  accountId: string,
  asOf: Position,
  supposed: ReadonlyMap<string, ClusterBilling>,
): Promise<readonly SimulatedCluster[]> {
  const clusters: SimulatedCluster[] = [];
  for await (const cluster of yieldingToEventLoop(workOut(model, accountId, asOf, supposed)))
    clusters.push(cluster);
  return clusters;
}

function* workOut(
  model: LedgerModel,
  accountId: string,
  asOf: Position,
  supposed: ReadonlyMap<string, ClusterBilling>,
): Generator<SimulatedCluster> {
  const added = new Map(supposed);
  for (const cluster of model.clustersEverOf(accountId, asOf)) {
    const clusterId = model.clusters.text(cluster);
    const before = toAccount(model.intervals(cluster, asOf), accountId);
    const otherwise = supposed.get(clusterId);
    added.delete(clusterId);
    yield {
      clusterId,
      before,
      after: otherwise === undefined ? before : toAccount(otherwise.intervals, accountId),
    };
  }
  for (const [clusterId, billing] of added)
    yield { clusterId, before: [], after: toAccount(billing.intervals, accountId) };
}

/** Whether a cluster would be billed otherwise within a window. */
export function wouldChange({ before, after }: SimulatedCluster, window: Window): boolean {
  return changesWithin(before, after, window);
}
