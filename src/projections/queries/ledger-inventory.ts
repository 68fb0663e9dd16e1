import { canonicalReference } from '../../domain/connection.ts';
import type { RegisteredCluster } from '../../domain/inventory.ts';
import { identityOf } from '../../domain/kubefirst/identity.ts';
import { RECORDS_LABEL } from '../../domain/kubefirst/registration.ts';
import type { Instant } from '../../domain/time.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** The side of the ledger in the comparison with an inventory. */
export interface LedgerInventory {
  /** Clusters that are registered and not deleted. */
  readonly registered: readonly RegisteredCluster[];
  /** Ids and references of other clusters, such as deleted ones, which are never reported as unregistered. */
  readonly known: ReadonlySet<string>;
}

/**
 * Returns the clusters to compare with an inventory.
 * @param recordsSource returns the name of the source for the records of a management cluster.
 */
export function ledgerInventory(
  model: LedgerModel,
  now: Instant,
  recordsSource: (recordsIn: string) => string,
): LedgerInventory {
  const registered: RegisteredCluster[] = [];
  const known = new Set<string>();
  for (let cluster = 0; cluster < model.clusters.size; cluster++) {
    const { registration, deletion, intervals } = model.billing(cluster, model.position);
    const clusterId = model.clusters.text(cluster);
    const details = model.attributes(cluster, now);
    const connection = details.connection === undefined ? undefined : canonicalReference(details.connection);
    if (registration === undefined || deletion !== undefined) {
      known.add(clusterId);
      if (connection !== undefined) known.add(connection);
      continue;
    }
    const recordsIn = details.labels?.[RECORDS_LABEL];
    registered.push({
      clusterId,
      accountId: details.accountId ?? registration.fact.accountId,
      name: details.name ?? clusterId,
      connection,
      ...(recordsIn !== undefined && {
        expectedIn: [recordsSource(recordsIn)],
        hostId: identityOf(clusterId)?.managementId,
      }),
      intervals,
    });
  }
  return { registered, known };
}
