import { canonicalReference } from '../domain/connection.ts';
import type { Fact } from '../domain/facts/fact.ts';
import type { InventoryItem, SourceReading } from '../domain/inventory.ts';
import type { ClusterRecord, UnusableRecord } from '../domain/kubefirst/cluster-record.ts';
import type { KnownCluster } from '../domain/kubefirst/identity.ts';
import {
  type MissingCluster,
  missingClusters,
  type RecordFile,
} from '../domain/kubefirst/missing-clusters.ts';
import {
  clusterOfRecord,
  type PlannedFact,
  planDeletion,
  planRecord,
} from '../domain/kubefirst/plan-record.ts';
import { type KubefirstSecret, type RecordStep, recordOfSecret } from '../domain/kubefirst/record-step.ts';
import { connectionOf, type KubefirstPolicy } from '../domain/kubefirst/registration.ts';
import type { Instant } from '../domain/time.ts';

/** The clusters of the ledger that records are compared with. */
export interface LedgerClusters {
  clustersWithId(kubefirstId: string): readonly KnownCluster[];
  all(): Iterable<KnownCluster>;
  isDeletionRequested(clusterId: string): boolean;
}

/** Returns the inventory source of the records of a place. */
export function inventorySource(name: string): string {
  return `kubefirst/${name}`;
}

/** The latest records of one place, compared with the ledger. */
export class RecordBook {
  readonly #name: string;
  readonly #policy: KubefirstPolicy;
  readonly #view: LedgerClusters;
  readonly #files = new Map<string, RecordFile>();
  #index: readonly string[] | undefined;

  constructor(name: string, policy: KubefirstPolicy, view: LedgerClusters) {
    this.#name = name;
    this.#policy = policy;
    this.#view = view;
  }

  apply(step: Exclude<RecordStep, { kind: 'unreadable' | 'resumed' }>): void {
    if (step.kind === 'listed') {
      this.#files.clear();
      this.#index = undefined;
      for (const item of step.items.values()) this.#keep(item);
    } else if (step.kind === 'changed') {
      this.#keep(step.item);
    } else {
      this.#forget(step.name);
    }
  }

  #keep(item: KubefirstSecret): void {
    if (item.kind === 'index') this.#index = item.names;
    else this.#files.set(item.name, item);
  }

  #forget(secretName: string): void {
    const name = recordOfSecret(secretName);
    if (name === undefined) this.#index = undefined;
    else this.#files.delete(name);
  }

  /** Number of clusters that the records describe. */
  get size(): number {
    return this.#records().length;
  }

  get unusable(): readonly UnusableRecord[] {
    return [...this.#files.values()].flatMap(({ unusable }) => unusable);
  }

  /** Returns the ids of the billed clusters whose record is gone. */
  missing(now: Instant): readonly string[] {
    return this.#missingClusters(now).flatMap(({ cluster: { clusterId, billable } }) =>
      billable ? [clusterId] : [],
    );
  }

  /**
   * Returns the facts that the ledger lacks: those from records, and deletions of clusters whose record is gone
   * after a deletion request.
   */
  plan(now: Instant): readonly PlannedFact[] {
    const planned = this.#records().flatMap(({ record, changedAt }) => {
      const { clusterId, cluster } = this.#clusterOf(record, now);
      // The clock of the management cluster may be ahead of that of the ledger.
      const at = Math.min(now, changedAt ?? now);
      return planRecord(record, clusterId, cluster, at, this.#policy, this.#name);
    });
    for (const { cluster, since } of this.#missingClusters(now)) {
      const { clusterId, registeredAt } = cluster;
      const at = Math.max(registeredAt, Math.min(now, since ?? now));
      if (this.#view.isDeletionRequested(clusterId)) planned.push(planDeletion(clusterId, at));
    }
    return planned.filter(({ fact }) => !this.#isRequestedAlready(fact));
  }

  #isRequestedAlready({ type, clusterId }: Fact): boolean {
    return type === 'ClusterDeletionRequested' && this.#view.isDeletionRequested(clusterId);
  }

  /** Returns the records as an inventory, or why they may be incomplete. */
  reading(now: Instant): SourceReading {
    const source = inventorySource(this.#name);
    if (this.#index === undefined) return { source, unreadable: 'the records have no index' };
    if (this.#index.some((name) => !this.#files.has(name)))
      return { source, unreadable: 'a record is being written or removed' };
    const [unusable] = this.unusable;
    if (unusable !== undefined) {
      const { name, field } = unusable;
      return { source, unreadable: `the field ${field} of the record ${name} cannot be used`.slice(0, 300) };
    }
    const items = this.#records()
      .filter(({ record }) => record.status !== 'deleted')
      .map(({ record }) => this.#itemOf(source, record, now));
    return { source, items };
  }

  #itemOf(source: string, record: ClusterRecord, now: Instant): InventoryItem {
    const { managementId, name, createdAt, status } = record;
    const { clusterId, cluster } = this.#clusterOf(record, now);
    const own = `${source}:${managementId}/${name}`;
    // The ledger has the cluster as deleted, but Kubefirst reports it as running: it is listed as unregistered.
    if (cluster?.deletedAt !== undefined && status === 'provisioned')
      return { source, reference: own, name, since: cluster.deletedAt };
    return {
      source,
      reference: canonicalReference(connectionOf(this.#policy, record) ?? own),
      clusterId,
      name,
      ...(createdAt !== undefined && { since: createdAt }),
      isPending: status !== 'provisioned',
    };
  }

  #records() {
    return [...this.#files.values()].flatMap(({ records, changedAt }) =>
      records.map((record) => ({ record, changedAt })),
    );
  }

  #clusterOf(record: ClusterRecord, now: Instant) {
    return clusterOfRecord(record, this.#view.clustersWithId(record.kubefirstId), now);
  }

  #missingClusters(now: Instant): readonly MissingCluster[] {
    const claimed = new Set(this.#records().map(({ record }) => this.#clusterOf(record, now).clusterId));
    const registered = [...this.#view.all()].filter(({ recordsIn }) => recordsIn === this.#name);
    return missingClusters({ index: this.#index, byName: this.#files }, registered, claimed);
  }
}
