import type { Fact } from '../facts/fact.ts';
import { type Instant, SECOND_MS } from '../time.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { isManagementType, type KnownCluster, ledgerIdOf, matchCluster, shareDomain } from './identity.ts';
import { type KubefirstPolicy, registrationOf } from './registration.ts';

/** A fact that follows from a record. */
export interface PlannedFact {
  readonly fact: Fact;
  /** Identifies the fact among those of its cluster, independent of who plans it and when. */
  readonly id: string;
  /** Whether its time is the time of the check: planned again later, it is the same fact. */
  readonly isTimedByLedger: boolean;
}

/** Returns the ledger id of a record, from the record alone. */
export function ownIdOf({ managementId, kubefirstId, name, createdAt }: ClusterRecord): string {
  return ledgerIdOf({
    managementId,
    kubefirstId,
    name,
    createdSecond: Math.floor((createdAt ?? 0) / SECOND_MS),
  });
}

/**
 * Returns the cluster of a record: the one with the id of the record, or the only cluster known from telemetry that
 * it can be.
 */
export function clusterOfRecord(
  record: ClusterRecord,
  known: readonly KnownCluster[],
  now: Instant,
): { readonly clusterId: string; readonly cluster: KnownCluster | undefined } {
  const ownId = ownIdOf(record);
  const own = known.find(({ clusterId }) => clusterId === ownId);
  if (own !== undefined) return { clusterId: ownId, cluster: own };
  const { managementId, kubefirstId, clusterType, domain } = record;
  const unnamed = known.filter((cluster) => mayBeTheSame(cluster, record));
  const criteria = { kubefirstId, managementId: undefined, clusterType, domain, at: now };
  const [adopted, ...others] = matchCluster(unnamed, criteria, 'next');
  // A default virtual cluster has the id of its host. Without a common domain the match is ambiguous. No two management
  // clusters have one id.
  const isShared =
    managementId === kubefirstId &&
    !(isManagementType(clusterType) && isManagementType(adopted?.clusterType)) &&
    !shareDomain(adopted?.domain, domain);
  if (adopted === undefined || others.length > 0 || isShared) return { clusterId: ownId, cluster: undefined };
  return { clusterId: adopted.clusterId, cluster: adopted };
}

/**
 * Returns whether a cluster from telemetry can be that of a record. Telemetry may have used the cluster as its own
 * management cluster, and cannot have seen it before it was created.
 */
function mayBeTheSame(
  { name, managementId, registeredAt, deletedAt }: KnownCluster,
  record: ClusterRecord,
): boolean {
  if (name !== undefined || (managementId !== record.managementId && managementId !== record.kubefirstId))
    return false;
  if (record.createdAt === undefined) return deletedAt === undefined;
  return registeredAt >= record.createdAt && (deletedAt === undefined || deletedAt > record.createdAt);
}

/**
 * Returns the facts of a record that the ledger lacks, in the order of their time.
 * @param cluster the registered cluster, if any. @param changedAt last known change of the record.
 * @param recordsIn name of the place of the record.
 */
export function planRecord(
  record: ClusterRecord,
  clusterId: string,
  cluster: KnownCluster | undefined,
  changedAt: Instant,
  policy: KubefirstPolicy,
  recordsIn: string,
): readonly PlannedFact[] {
  const planned: PlannedFact[] = [];
  if (isRegistrationMissing(record, cluster)) {
    const described = registrationOf(policy, { ...record, recordsIn });
    const accountId = cluster?.accountId ?? described.accountId;
    const effectiveAt = record.createdAt ?? changedAt;
    planned.push({
      fact: { type: 'ClusterRegistered', clusterId, effectiveAt, ...described, accountId },
      id: 'registered',
      isTimedByLedger: record.createdAt === undefined,
    });
    if (cluster !== undefined) {
      // The registration from telemetry is effective later, and knows less: the attributes of the record apply again after it.
      const { accountId: _, ...attributes } = described;
      const at = cluster.registeredAt + 1;
      planned.push({
        fact: { type: 'ClusterChanged', clusterId, effectiveAt: at, ...attributes },
        id: 'adopted',
        isTimedByLedger: false,
      });
    }
  }
  if (cluster === undefined || cluster.deletedAt !== undefined) return planned;
  if (record.status === 'deleting')
    planned.push(timedByLedger('ClusterDeletionRequested', clusterId, changedAt));
  if (record.status === 'deleted') planned.push(timedByLedger('ClusterDeleted', clusterId, changedAt));
  return planned;
}

/**
 * Returns whether to register the cluster. A cluster is registered once it is provisioned; in another state it may
 * never have existed. A cluster known from telemetry is registered again with its name and an earlier time of
 * creation.
 */
function isRegistrationMissing(
  { status, createdAt }: ClusterRecord,
  cluster: KnownCluster | undefined,
): boolean {
  if (cluster === undefined) return status === 'provisioned';
  return cluster.name === undefined && createdAt !== undefined && createdAt < cluster.registeredAt;
}

/** Returns the deletion of a cluster whose record disappeared after a deletion request. */
export function planDeletion(clusterId: string, at: Instant): PlannedFact {
  return timedByLedger('ClusterDeleted', clusterId, at);
}

function timedByLedger(
  type: 'ClusterDeletionRequested' | 'ClusterDeleted',
  clusterId: string,
  effectiveAt: Instant,
): PlannedFact {
  const id = type === 'ClusterDeleted' ? 'deleted' : 'deletion-requested';
  return { fact: { type, clusterId, effectiveAt }, id, isTimedByLedger: true };
}
