import type { Instant } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { viewCluster } from '../../projections/queries/cluster-view.ts';

/** Number of facts, accounts and clusters in the ledger. */
export interface Counts {
  readonly facts: number;
  readonly accounts: number;
  readonly clusters: number;
  readonly billedNow: number;
  readonly position: number;
}

export function countClusters(model: LedgerModel, now: Instant): Counts {
  let facts = 0;
  let billedNow = 0;
  for (const cluster of model.clusters.texts.keys()) {
    facts += model.positionsOf(cluster).length;
    if (viewCluster(model, cluster, now).status === 'billed') billedNow++;
  }
  const { position, accounts, clusters } = model;
  return { facts, billedNow, position, accounts: accounts.size, clusters: clusters.size };
}
