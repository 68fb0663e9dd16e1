import { z } from 'zod';
import { type Fact, line } from '../facts/fact.ts';
import { type Instant, parseInstant, SECOND_MS } from '../time.ts';
import {
  type ClusterMatchCriteria,
  isManagementType,
  type KnownCluster,
  KUBEFIRST_ID,
  ledgerIdOf,
  matchCluster,
} from './identity.ts';
import { type KubefirstPolicy, registrationOf } from './registration.ts';

/** The events of Kubefirst's telemetry that say something of a cluster; every other one is acknowledged and ignored. */
export const LIFECYCLE_EVENTS = [
  'kubefirst.cluster_install.completed',
  'kubefirst.cluster_delete.started',
  'kubefirst.cluster_delete.completed',
] as const;
export const HEARTBEAT = 'kubefirst.heartbeat';
const CLUSTER_EVENTS = [...LIFECYCLE_EVENTS, HEARTBEAT] as const;
type ClusterEvent = (typeof CLUSTER_EVENTS)[number];

/** A name that some senders leave empty or as a placeholder. */
const optionalText = (max: number) =>
  z
    .union([z.literal(''), line(max)])
    .nullish()
    .transform((text) => (text === '' || text === 'unset' || text === null ? undefined : text));

const KubefirstId = z.string().regex(KUBEFIRST_ID, 'must be a cluster_id of 1 to 32 letters and digits');

const MAX_FRACTION_DIGITS = 3;

/** RFC 3339 with any fraction, as other languages write it: what is finer than a millisecond is cut off. */
export const LooseInstant = z
  .string()
  .max(64)
  .transform((text, check) => {
    const instant = parseInstant(
      text.replace(/(\.\d+)/, (fraction) => fraction.slice(0, MAX_FRACTION_DIGITS + 1)),
    );
    if (instant !== undefined) return instant;
    check.addIssue({ code: 'custom', message: 'must be an RFC 3339 time with a zone', input: text });
    return z.NEVER;
  });

/** What is read of a Segment Track event. Everything else that it holds is dropped unseen: it is somebody else's format. */
export const TrackEvent = z.object({
  event: line(255),
  messageId: line(255).nullish(),
  timestamp: LooseInstant.nullish(),
  properties: z
    .object({
      cluster_id: KubefirstId,
      cluster_type: optionalText(64),
      cloud_provider: optionalText(64),
      domain: optionalText(253),
      parent_cluster_id: z
        .union([z.literal(''), z.literal('unset'), KubefirstId])
        .nullish()
        .transform((id) => (id === '' || id === 'unset' || id === null ? undefined : id)),
    })
    .describe('Of the properties these are read and no others.'),
});
export type TrackEvent = z.output<typeof TrackEvent>;

/** The name of an event alone, to tell whether the rest matters. */
export function isClusterEvent(event: unknown): event is ClusterEvent {
  return typeof event === 'string' && (CLUSTER_EVENTS as readonly string[]).includes(event);
}

/** What is to be done about an event. */
export type TelemetryVerdict =
  | { readonly kind: 'record'; readonly fact: Fact }
  /** Proves that the platform's record of the cluster exists; says nothing of the bill. */
  | { readonly kind: 'heartbeat'; readonly clusterId: string }
  /** The ledger knows it already, or it says nothing of the bill. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown'; readonly fact: Fact }
  | { readonly kind: 'ambiguous'; readonly fact: Fact; readonly candidates: readonly string[] };

/**
 * What a telemetry event means for the ledger.
 * @param known the clusters with its `cluster_id` that the ledger has a registration of. @param at when it was true.
 */
export function judgeTelemetry(
  { event, properties }: TrackEvent,
  at: Instant,
  known: readonly KnownCluster[],
  policy: KubefirstPolicy,
): TelemetryVerdict {
  const hint = matchCriteria(properties, at);
  const match = matchCluster(known, hint, event.startsWith('kubefirst.cluster_delete') ? 'last' : 'next');
  switch (event as ClusterEvent) {
    case 'kubefirst.heartbeat':
      return match.length === 1
        ? { kind: 'heartbeat', clusterId: (match[0] as KnownCluster).clusterId }
        : { kind: 'ignored' };
    case 'kubefirst.cluster_install.completed':
      return judgeInstall(properties, hint, match, policy);
    case 'kubefirst.cluster_delete.started':
      return judgeDeletion('ClusterDeletionRequested', hint, match);
    case 'kubefirst.cluster_delete.completed':
      return judgeDeletion('ClusterDeleted', hint, match);
  }
}

function matchCriteria(properties: TrackEvent['properties'], at: Instant): ClusterMatchCriteria {
  const {
    cluster_id: kubefirstId,
    cluster_type: clusterType,
    domain,
    parent_cluster_id: parent,
  } = properties;
  // The chart gives a management cluster itself as its parent; what is said of its kind must not be lost by that.
  const managementId = isManagementType(clusterType)
    ? kubefirstId
    : parent === kubefirstId
      ? undefined
      : parent;
  return { kubefirstId, managementId, clusterType, domain, at };
}

/**
 * A cluster that was not there at the time is a new one. Of one that was, an earlier installation is the better one; a
 * later one, as every repeated installation sends it, says nothing new.
 */
function judgeInstall(
  { cloud_provider: cloudProvider }: TrackEvent['properties'],
  { kubefirstId, managementId = kubefirstId, clusterType, domain, at }: ClusterMatchCriteria,
  match: readonly KnownCluster[],
  policy: KubefirstPolicy,
): TelemetryVerdict {
  const createdSecond = Math.floor(at / SECOND_MS);
  const payload = registrationOf(policy, {
    managementId,
    kubefirstId,
    name: undefined,
    clusterType,
    cloudProvider,
    region: undefined,
    domain,
  });
  const registered = { type: 'ClusterRegistered', effectiveAt: at, ...payload } as const;
  if (match.every((cluster) => isGone(cluster, at))) {
    const clusterId = ledgerIdOf({ managementId, kubefirstId, name: undefined, createdSecond });
    return { kind: 'record', fact: { ...registered, clusterId } };
  }
  const [cluster] = match;
  // Of several, each is registered already, whichever is meant; what a record said of the time of creation stands.
  if (cluster === undefined || match.length > 1 || cluster.name !== undefined || at >= cluster.registeredAt)
    return { kind: 'ignored' };
  const { clusterId, accountId } = cluster;
  return { kind: 'record', fact: { ...registered, clusterId, accountId } };
}

/** Of several clusters none is guessed, and of none nothing can be said: both are kept for a person to look at. */
function judgeDeletion(
  type: 'ClusterDeletionRequested' | 'ClusterDeleted',
  { kubefirstId, managementId = kubefirstId, at }: ClusterMatchCriteria,
  match: readonly KnownCluster[],
): TelemetryVerdict {
  const placeholder = ledgerIdOf({ managementId, kubefirstId, name: undefined, createdSecond: 0 });
  const [cluster] = match;
  // A deletion from before the cluster was there is another's.
  if (cluster === undefined || at < cluster.registeredAt)
    return { kind: 'unknown', fact: { type, clusterId: placeholder, effectiveAt: at } };
  if (match.every((each) => isGone(each, at))) return { kind: 'ignored' };
  if (match.length > 1) {
    const candidates = match.map(({ clusterId }) => clusterId);
    return { kind: 'ambiguous', fact: { type, clusterId: placeholder, effectiveAt: at }, candidates };
  }
  return { kind: 'record', fact: { type, clusterId: cluster.clusterId, effectiveAt: at } };
}

function isGone({ deletedAt }: KnownCluster, at: Instant): boolean {
  return deletedAt !== undefined && deletedAt <= at;
}
