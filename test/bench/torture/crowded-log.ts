import type { Fact } from '../../../src/domain/facts/fact.ts';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../../src/domain/stream-table.ts';
import { DAY_MS } from '../../../src/domain/time.ts';
import type { EventStore, NewEvent } from '../../../src/eventstore/event-store.ts';
import { eventId } from '../../../src/ledger/event-id.ts';

/** The size of a log with one crowded account and one crowded cluster. */
export interface CrowdedSize {
  readonly facts: number;
  readonly clusters: number;
  /** Clusters of the account `big`. */
  readonly bigAccount: number;
  /** Facts of the cluster `busy`, of the account `one`. */
  readonly busyCluster: number;
}

export const FULL: CrowdedSize = { facts: 200_000, clusters: 20_000, bigAccount: 5_000, busyCluster: 20_000 };

export const FROM = Date.parse('2025-10-01T00:00:00.000Z');
export const DAYS = 400;

const CLUSTERS_PER_ACCOUNT = 15;
const AT_ONCE = 2_000;

/** Writes the log: clusters that are registered, stopped, resumed and observed over 400 days. */
export async function writeCrowdedLog(store: EventStore, size: CrowdedSize): Promise<void> {
  const others = size.clusters - 1;
  const each = Math.floor((size.facts - size.busyCluster) / others);
  let writing: Promise<unknown>[] = [];
  const append = async (clusterId: string, from: number, count: number, accountId: string, of: number) => {
    const events = Array.from({ length: count }, (_, i) => newEvent(clusterId, accountId, from + i, of));
    writing.push(store.append(clusterStream(clusterId), events, from === 0 ? 'absent' : from - 1));
    if (writing.length < AT_ONCE) return;
    await Promise.all(writing);
    writing = [];
  };
  for (let from = 0; from < size.busyCluster; from += 100)
    await append('busy', from, Math.min(100, size.busyCluster - from), 'one', size.busyCluster);
  for (let visit = 0; visit < each; visit++)
    for (let n = 0; n < others; n++) await append(`c${n}`, visit, 1, accountOf(n, size), each);
  await Promise.all(writing);
}

function accountOf(cluster: number, { bigAccount }: CrowdedSize): string {
  if (cluster < bigAccount) return 'big';
  return `account-${Math.floor((cluster - bigAccount) / CLUSTERS_PER_ACCOUNT)}`;
}

function newEvent(clusterId: string, accountId: string, visit: number, of: number): NewEvent {
  const step = (DAYS * DAY_MS) / (of + 1);
  const effectiveAt = Math.floor(FROM + step * visit + ((clusterId.length * 7_919 + visit) % 1_000));
  const fact = factOf(clusterId, accountId, visit, effectiveAt);
  const origin = { source: 'urn:torture', id: `${clusterId}-${visit}`, actor: 'loopback' };
  const id = eventId(clusterStream(clusterId), origin.source, origin.id);
  return { id, ...serializeFact(fact, origin), recordedAt: FROM + (DAYS + 1) * DAY_MS } as NewEvent;
}

function factOf(clusterId: string, accountId: string, visit: number, effectiveAt: number): Fact {
  const common = { clusterId, effectiveAt };
  if (visit === 0) {
    const attributes = {
      region: 'eu-central-1',
      cloudProvider: 'aws',
      labels: { team: `t${clusterId.length}` },
    };
    const clusterType = clusterId.endsWith('7') ? 'vcluster' : 'workload';
    return {
      ...common,
      type: 'ClusterRegistered',
      accountId,
      name: `n-${clusterId}`,
      clusterType,
      ...attributes,
    };
  }
  switch (visit % 4) {
    case 1:
      return { ...common, type: 'BillingStopped', cause: 'manual', reason: 'maintenance' };
    case 2:
      return { ...common, type: 'BillingResumed', cause: 'manual', reason: 'maintenance' };
    case 3:
      return { ...common, type: 'ClusterUnreachable', evidence: { checks: 3, lastError: 'timeout' } };
    default:
      return { ...common, type: 'ClusterReachable' };
  }
}
