import type { ClusterBilling, Interval } from '../../domain/billing/billing.ts';
import { changesWithin } from '../../domain/billing/statement.ts';
import type { Window } from '../../domain/time.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import { toAccount } from './differences.ts';

/** Intervals of a cluster that are billed to an account, before and after simulated facts. */
export interface SimulatedCluster {
  readonly clusterId: string;
  readonly before: readonly Interval[];
  readonly after: readonly Interval[];
}

/**
 * Returns the clusters of an account, as known at a position, with their simulated billing.
 * @param simulated billing of the clusters that the simulation changes, by cluster id.
 */
export async function simulateClusters(
  model: LedgerModel,
  accountId: string,
  asOf: Position,
  simulated: ReadonlyMap<string, ClusterBilling>,
): Promise<readonly SimulatedCluster[]> {
  const clusters: SimulatedCluster[] = [];
  for await (const cluster of yieldingToEventLoop(clustersWithSimulation(model, accountId, asOf, simulated)))
    clusters.push(cluster);
  return clusters;
}

function* clustersWithSimulation(
  model: LedgerModel,
  accountId: string,
  asOf: Position,
  simulated: ReadonlyMap<string, ClusterBilling>,
): Generator<SimulatedCluster> {
  const added = new Map(simulated);
  for (const cluster of model.clustersEverOf(accountId, asOf)) {
    const clusterId = model.clusters.text(cluster);
    const before = toAccount(model.intervals(cluster, asOf), accountId);
    const changed = simulated.get(clusterId);
    added.delete(clusterId);
    yield {
      clusterId,
      before,
      after: changed === undefined ? before : toAccount(changed.intervals, accountId),
    };
  }
  for (const [clusterId, billing] of added)
    yield { clusterId, before: [], after: toAccount(billing.intervals, accountId) };
}

/** Returns whether a simulation changes the billing of a cluster within a window. */
export function wouldChange({ before, after }: SimulatedCluster, window: Window): boolean {
  return changesWithin(before, after, window);
}
