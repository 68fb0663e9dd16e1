import type { JsonObject } from './json-value.ts';

/** A cause that stops billing. */
export type Cause = 'unreachable' | 'missing' | 'manual';

/** The part of one fact that a bill depends on: see docs/billing-rules.md. The rest of a fact is for people. */
export interface BillingFact {
  readonly eventId: string;
  /** Place in the log, from 1. */
  readonly position: number;
  readonly clusterId: string;
  readonly type: 'registered' | 'changed' | 'deleted' | 'stopped' | 'resumed' | 'voided' | 'other';
  /** When it was true in the world, in ms since the epoch. */
  readonly at: number;
  /** The attributes that a registration or a change carries; `undefined` if it does not. */
  readonly accountId: string | undefined;
  readonly clusterType: string | undefined;
  readonly billable: boolean | undefined;
  /** The cause of a stop or a resumption; `undefined` for the notice of a deletion. */
  readonly cause: Cause | undefined;
  /** The event id of the fact that a void voids. */
  readonly voids: string | undefined;
}

/** A leaf from which nothing can be billed. */
export class UnreadableLeaf extends Error {
  override readonly name = 'UnreadableLeaf';
}

/** The types under which facts are recorded. */
const TYPES: ReadonlyMap<unknown, BillingFact['type']> = new Map([
  ['ClusterRegistered', 'registered'],
  ['ClusterRegistered.v2', 'registered'],
  ['ClusterChanged', 'changed'],
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

/** The first version of registrations recorded `billable: true` also if it was not posted. */
const ALWAYS_SAYS_BILLABLE = 'ClusterRegistered';

const CLUSTER_PREFIX = 'cluster-';

/** Returns the cluster of a stream of facts; `undefined` for any other stream. */
export function clusterOf(stream: string): string | undefined {
  return stream.startsWith(CLUSTER_PREFIX) ? stream.slice(CLUSTER_PREFIX.length) : undefined;
}

/** Returns the account that a fact gives a cluster to; `undefined` if it gives the cluster to none. */
export function accountNamedIn({ type, data }: Leaf): string | undefined {
  const kind = TYPES.get(type);
  const isNaming = kind === 'registered' || kind === 'changed';
  const accountId = isNaming && Object.hasOwn(data, 'accountId') ? data['accountId'] : undefined;
  return typeof accountId === 'string' ? accountId : undefined;
}

/** Reads a fact of a cluster as it is recorded. @throws UnreadableLeaf */
export function readFact(position: number, clusterId: string, leaf: Leaf): BillingFact {
  const type = TYPES.get(leaf.type);
  const { data } = leaf;
  if (type === undefined)
    throw new UnreadableLeaf(`${JSON.stringify(leaf.type)} is not a type of fact that this verifier knows`);
  if (data['clusterId'] !== clusterId) throw new UnreadableLeaf('it names another cluster than its stream');
  const at = readInstant(data['effectiveAt']);
  if (at === undefined) throw new UnreadableLeaf('it has no readable effectiveAt');
  if (type === 'voided' && typeof data['voids'] !== 'string')
    throw new UnreadableLeaf('it does not name the fact that it voids');
  return {
    eventId: leaf.id,
    position,
    clusterId,
    type,
    at,
    ...attributesOf(type, leaf),
    cause: type === 'stopped' || type === 'resumed' ? readCause(data['cause']) : undefined,
    voids: type === 'voided' ? (data['voids'] as string) : undefined,
  };
}

/** @throws UnreadableLeaf */
function attributesOf(
  type: BillingFact['type'],
  leaf: Leaf,
): Pick<BillingFact, 'accountId' | 'clusterType' | 'billable'> {
  if (type !== 'registered' && type !== 'changed')
    return { accountId: undefined, clusterType: undefined, billable: undefined };
  const { accountId, clusterType, billable } = leaf.data;
  if (type === 'registered' && accountId === undefined) throw new UnreadableLeaf('it names no account');
  if (accountId !== undefined && typeof accountId !== 'string')
    throw new UnreadableLeaf('its accountId is not text');
  if (clusterType !== undefined && typeof clusterType !== 'string')
    throw new UnreadableLeaf('its clusterType is not text');
  if (billable !== undefined && typeof billable !== 'boolean')
    throw new UnreadableLeaf('its billable is neither true nor false');
  const isPosted = leaf.type !== ALWAYS_SAYS_BILLABLE || billable === false;
  return { accountId, clusterType, billable: isPosted ? billable : undefined };
}

/** @throws UnreadableLeaf */
function readCause(cause: unknown): Cause | undefined {
  if (cause === 'unreachable' || cause === 'missing' || cause === 'manual') return cause;
  if (cause === 'deleted') return undefined;
  throw new UnreadableLeaf('it has no cause that this verifier knows');
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

/** Reads `YYYY-MM-DDTHH:MM:SS.mmmZ`, as ms since the epoch; `undefined` for any other text and for days that do not exist. */
export function readInstant(text: unknown): number | undefined {
  if (typeof text !== 'string' || !INSTANT.test(text)) return undefined;
  const instant = Date.parse(text);
  return !Number.isNaN(instant) && new Date(instant).toISOString() === text ? instant : undefined;
}
