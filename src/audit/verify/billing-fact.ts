import type { JsonObject } from './json-value.ts';

/** What a bill depends on of one fact: see docs/billing-rules.md. All that was written besides is for people. */
export interface BillingFact {
  readonly eventId: string;
  /** Place in the log, from 1. */
  readonly position: number;
  readonly clusterId: string;
  readonly type: 'registered' | 'deleted' | 'stopped' | 'resumed' | 'voided' | 'other';
  /** When it was true in the world, in ms since the epoch. */
  readonly at: number;
  /** Of a registration: the account it names, and whether it is charged for. */
  readonly accountId: string | undefined;
  readonly billable: boolean | undefined;
  /** Of a stop or a resumption. */
  readonly cause: 'unreachable' | 'manual' | 'deleted' | undefined;
  /** Of a void: the event id of what it voids. */
  readonly voids: string | undefined;
}

/** A leaf that says nothing a bill can be made from. */
export class UnreadableLeaf extends Error {
  override readonly name = 'UnreadableLeaf';
}

const TYPES: ReadonlyMap<unknown, BillingFact['type']> = new Map([
  ['ClusterRegistered', 'registered'],
  ['ClusterDeleted', 'deleted'],
  ['BillingStopped', 'stopped'],
  ['BillingResumed', 'resumed'],
  ['FactVoided', 'voided'],
  ['ClusterDeletionRequested', 'other'],
  ['ClusterDeletionConfirmed', 'other'],
  ['ClusterDeletionCancelled', 'other'],
  ['ClusterDeletionFailed', 'other'],
  ['ClusterUnreachable', 'other'],
  ['ClusterReachable', 'other'],
] as const);

const CLUSTER_PREFIX = 'cluster-';

/** The cluster whose facts stand in a stream; `undefined` where it holds something else. */
export function clusterOf(stream: string): string | undefined {
  return stream.startsWith(CLUSTER_PREFIX) ? stream.slice(CLUSTER_PREFIX.length) : undefined;
}

/** Reads a fact of a cluster as the log has it. @throws UnreadableLeaf */
export function readFact(position: number, clusterId: string, leaf: Leaf): BillingFact {
  const type = TYPES.get(leaf.type);
  const { data } = leaf;
  if (type === undefined)
    throw new UnreadableLeaf(`${JSON.stringify(leaf.type)} is no type of fact that is known here`);
  if (data['clusterId'] !== clusterId) throw new UnreadableLeaf('it names another cluster than its stream');
  const at = readInstant(data['effectiveAt']);
  if (at === undefined) throw new UnreadableLeaf('it does not say since when it was true');
  const { accountId, billable, cause, voids } = data;
  if (type === 'registered' && (typeof accountId !== 'string' || typeof billable !== 'boolean'))
    throw new UnreadableLeaf('it does not say whose the cluster is, and whether it is charged for');
  const isSwitch = type === 'stopped' || type === 'resumed';
  if (isSwitch && cause !== 'unreachable' && cause !== 'manual' && cause !== 'deleted')
    throw new UnreadableLeaf('it has no cause that is known here');
  if (type === 'voided' && typeof voids !== 'string')
    throw new UnreadableLeaf('it does not say what it voids');
  return {
    eventId: leaf.id,
    position,
    clusterId,
    type,
    at,
    accountId: type === 'registered' ? (accountId as string) : undefined,
    billable: type === 'registered' ? (billable as boolean) : undefined,
    cause: isSwitch ? (cause as BillingFact['cause']) : undefined,
    voids: type === 'voided' ? (voids as string) : undefined,
  };
}

/** A leaf of the log: one recorded event. */
export interface Leaf {
  readonly data: JsonObject;
  readonly id: string;
  readonly metadata: JsonObject;
  readonly recordedAt: string;
  readonly revision: number;
  readonly stream: string;
  readonly type: string;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Reads `YYYY-MM-DDTHH:MM:SS.mmmZ`, as ms since the epoch; `undefined` for any other text, and for days that there are not. */
export function readInstant(text: unknown): number | undefined {
  if (typeof text !== 'string' || !INSTANT.test(text)) return undefined;
  const instant = Date.parse(text);
  return !Number.isNaN(instant) && new Date(instant).toISOString() === text ? instant : undefined;
}
