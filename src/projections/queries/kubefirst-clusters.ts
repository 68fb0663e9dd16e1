import { identityOf, type KnownCluster } from '../../domain/kubefirst/identity.ts';
import { DOMAIN_LABEL, RECORDS_LABEL } from '../../domain/kubefirst/registration.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/**
 * Index of the clusters that Kubefirst created, by their `cluster_id`. It caches only the grouping of ids, which only
 * grows; everything else is read from the model on each request.
 */
export class KubefirstClusters {
  #texts: readonly string[] = [];
  #seen = 0;
  #byKubefirstId = new Map<string, number[]>();

  /** Returns the registered clusters with a `cluster_id`. */
  withId(model: LedgerModel, kubefirstId: string): readonly KnownCluster[] {
    this.#catchUp(model);
    return (this.#byKubefirstId.get(kubefirstId) ?? []).flatMap(
      (cluster) => knownCluster(model, cluster) ?? [],
    );
  }

  /** Yields all registered clusters of Kubefirst. */
  *all(model: LedgerModel): Generator<KnownCluster> {
    this.#catchUp(model);
    for (const clusters of this.#byKubefirstId.values()) {
      for (const cluster of clusters) {
        const known = knownCluster(model, cluster);
        if (known !== undefined) yield known;
      }
    }
  }

  #catchUp(model: LedgerModel): void {
    const { texts } = model.clusters;
    if (texts !== this.#texts) {
      this.#texts = texts;
      this.#seen = 0;
      this.#byKubefirstId = new Map();
    }
    for (; this.#seen < texts.length; this.#seen++) {
      const identity = identityOf(texts[this.#seen] as string);
      if (identity === undefined) continue;
      const same = this.#byKubefirstId.get(identity.kubefirstId);
      if (same === undefined) this.#byKubefirstId.set(identity.kubefirstId, [this.#seen]);
      else same.push(this.#seen);
    }
  }
}

function knownCluster(model: LedgerModel, cluster: ClusterNumber): KnownCluster | undefined {
  const clusterId = model.clusters.text(cluster);
  const identity = identityOf(clusterId);
  const { registration, deletion } = model.billing(cluster, model.position);
  if (identity === undefined || registration === undefined) return undefined;
  const details = model.attributes(cluster, Number.POSITIVE_INFINITY);
  return {
    ...identity,
    clusterId,
    accountId: details.accountId ?? registration.fact.accountId,
    billable: details.billable ?? true,
    clusterType: details.clusterType,
    domain: details.labels?.[DOMAIN_LABEL],
    recordsIn: details.labels?.[RECORDS_LABEL],
    registeredAt: registration.fact.effectiveAt,
    deletedAt: deletion?.fact.effectiveAt,
  };
}

/** Returns whether a deletion of the cluster was requested and neither cancelled nor failed since. */
export function isDeletionRequested(model: LedgerModel, clusterId: string): boolean {
  const cluster = model.clusters.find(clusterId);
  if (cluster === undefined) return false;
  for (const position of model.facts.chain(model.lastPositionOf(cluster))) {
    switch (model.facts.typeAt(position)) {
      case 'ClusterDeletionRequested':
      case 'ClusterDeletionConfirmed':
        return true;
      case 'ClusterDeletionCancelled':
      case 'ClusterDeletionFailed':
        return false;
    }
  }
  return false;
}
