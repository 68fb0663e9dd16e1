import type { Fact } from '../facts/fact.ts';
import { type Instant, SECOND_MS } from '../time.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { type KnownCluster, ledgerIdOf, matchCluster } from './identity.ts';
import { type KubefirstPolicy, registrationOf } from './registration.ts';

/** A fact that a record gives rise to. */
export interface PlannedFact {
  readonly fact: Fact;
  /** Names it among the facts of its cluster, the same whoever plans it, and whenever. */
  readonly id: string;
  /** Its time is when it was noticed: planned again later it is the same fact. */
  readonly isTimedByLedger: boolean;
}

/** The id in the ledger of what a record describes, where the record alone names it. */
export function ownIdOf({ managementId, kubefirstId, name, createdAt }: ClusterRecord): string {
  return ledgerIdOf({
    managementId,
    kubefirstId,
    name,
    createdSecond: Math.floor((createdAt ?? 0) / SECOND_MS),
  });
}

/**
 * The cluster of the ledger that a record is about: the one with its own id; else one that so far only telemetry has
 * spoken of, where there is exactly one such that it can be.
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
  const hint = { kubefirstId, managementId: undefined, clusterType, domain, at: now };
  const [adopted, ...others] = matchCluster(unnamed, hint, 'next');
  // A default virtual cluster shares the id of its host: without a domain in common it could be any of them.
  const isShared = managementId === kubefirstId && adopted?.domain !== domain;
  if (adopted === undefined || others.length > 0 || isShared) return { clusterId: ownId, cluster: undefined };
  return { clusterId: adopted.clusterId, cluster: adopted };
}

/** Telemetry may have taken the cluster for its own management cluster, and cannot have seen it before it was created. */
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
 * What the ledger lacks of what a record says: facts in the order of their time. Nothing where it knows all.
 * @param cluster what the ledger has of it. @param changedAt when the record last changed, as far as that is known.
 * @param recordsIn the name of the place that the record is kept in.
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
  }
  const isThere = cluster === undefined ? planned.length > 0 : cluster.deletedAt === undefined;
  if (!isThere) return planned;
  if (record.status === 'deleting')
    planned.push(timedByLedger('ClusterDeletionRequested', clusterId, changedAt));
  if (record.status === 'deleted') planned.push(timedByLedger('ClusterDeleted', clusterId, changedAt));
  return planned;
}

/**
 * A cluster is registered once it is provisioned, and not before: one in any other state may never have been. What
 * telemetry registered without a name is registered once more, with the time of its creation and all that is known of it.
 */
function isRegistrationMissing(
  { status, createdAt }: ClusterRecord,
  cluster: KnownCluster | undefined,
): boolean {
  if (cluster === undefined) return status === 'provisioned';
  return cluster.name === undefined && createdAt !== undefined && createdAt < cluster.registeredAt;
}

/** The deletion of a cluster whose record is gone, after its deletion was asked for. */
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
