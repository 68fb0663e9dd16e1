import { formatInstant } from '../time.ts';
import { FACT_TYPES, type Fact, type FactType } from './fact.ts';

/** Source of the events that the ledger itself appends. */
export const LEDGER_SOURCE = 'urn:cluster-ledger';
/** Source of the facts that people record by a command instead of an event. */
export const API_SOURCE = `${LEDGER_SOURCE}:api`;

/** Names of the fact types in CloudEvents, without the prefix and the version that all of them share. */
const NAMES: Readonly<Record<FactType, string>> = {
  ClusterRegistered: 'cluster.registered',
  ClusterChanged: 'cluster.changed',
  ClusterDeletionRequested: 'cluster.deletion-requested',
  ClusterDeletionConfirmed: 'cluster.deletion-confirmed',
  ClusterDeletionCancelled: 'cluster.deletion-cancelled',
  ClusterDeletionFailed: 'cluster.deletion-failed',
  ClusterDeleted: 'cluster.deleted',
  ClusterUnreachable: 'cluster.unreachable',
  ClusterReachable: 'cluster.reachable',
  BillingStopped: 'billing.stopped',
  BillingResumed: 'billing.resumed',
  FactVoided: 'fact.voided',
};

const FACT_TYPE_OF: ReadonlyMap<string, FactType> = new Map(
  FACT_TYPES.map((type) => [cloudEventType(type), type]),
);

/** The `type` attributes of all lifecycle events. */
export const CLOUD_EVENT_TYPES: readonly string[] = [...FACT_TYPE_OF.keys()];

/** Returns the CloudEvents `type` attribute of a fact type. */
export function cloudEventType(type: FactType): string {
  return `io.clusterledger.${NAMES[type]}.v1`;
}

/** Returns the fact type that a CloudEvents `type` attribute names, or `undefined` if it names none. */
export function factTypeOf(cloudEventType: string): FactType | undefined {
  return FACT_TYPE_OF.get(cloudEventType);
}

/** Returns the CloudEvent (version 1.0, JSON event format) that a producer posts to record a fact. */
export function factToCloudEvent(
  fact: Fact,
  { source, id }: { readonly source: string; readonly id: string },
) {
  const { type, clusterId: subject, effectiveAt, ...data } = fact;
  const time = formatInstant(effectiveAt);
  return { specversion: '1.0' as const, id, source, type: cloudEventType(type), subject, time, data };
}
