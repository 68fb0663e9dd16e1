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

/** Telemetry events of Kubefirst that change a bill. All others but the heartbeat are acknowledged and ignored. */
export const LIFECYCLE_EVENTS = [
  'kubefirst.cluster_install.completed',
  'kubefirst.cluster_delete.started',
  'kubefirst.cluster_delete.completed',
] as const;
export const HEARTBEAT = 'kubefirst.heartbeat';
const CLUSTER_EVENTS = [...LIFECYCLE_EVENTS, HEARTBEAT] as const;
type ClusterEvent = (typeof CLUSTER_EVENTS)[number];

/** An optional string that some senders leave empty or set to a placeholder. */
const optionalText = (max: number) =>
  z
    .union([z.literal(''), line(max)])
    .nullish()
    .transform((text) => (text === '' || text === 'unset' || text === null ? undefined : text));

const KubefirstId = z.string().regex(KUBEFIRST_ID, 'must be a cluster_id of 1 to 32 letters and digits');

/** RFC 3339 time with any number of fraction digits; digits after milliseconds are cut off. */
export const LooseInstant = z
  .string()
  .max(64)
  .transform((text, check) => {
    const instant = parseInstant(text);
    if (instant !== undefined) return instant;
    check.addIssue({ code: 'custom', message: 'must be an RFC 3339 time with a zone', input: text });
    return z.NEVER;
  });

/** The fields of a Segment Track event that are read. All other fields are dropped. */
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
    .describe('Only these properties are read.'),
});
export type TrackEvent = z.output<typeof TrackEvent>;

/** Returns whether the event with this name is about a cluster, before the rest is parsed. */
export function isClusterEvent(event: unknown): event is ClusterEvent {
  return CLUSTER_EVENTS.some((known) => known === event);
}

/** The effect of a telemetry event. */
export type TelemetryVerdict =
  | { readonly kind: 'record'; readonly fact: Fact }
  /** The cluster has sent a heartbeat; the bill does not change. */
  | { readonly kind: 'heartbeat'; readonly clusterId: string }
  /** A cluster that was never registered has sent a heartbeat: it runs, and nobody bills it. */
  | { readonly kind: 'stranger'; readonly kubefirstId: string }
  /** The event has no effect on the bill, or the ledger already has the fact. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown'; readonly fact: Fact }
  | { readonly kind: 'ambiguous'; readonly fact: Fact; readonly candidates: readonly string[] };

/**
 * Decides the effect of a telemetry event. If it can be about several clusters, these are alike: all of them existed at the
 * time, or all begin later, or all ended before.
 * @param known registered clusters with the `cluster_id` of the event. @param at time of the event.
 */
export function judgeTelemetry(
  { event, properties }: TrackEvent,
  at: Instant,
  known: readonly KnownCluster[],
  policy: KubefirstPolicy,
): TelemetryVerdict {
  const criteria = matchCriteria(properties, at);
  const match = matchCluster(known, criteria, event.startsWith('kubefirst.cluster_delete') ? 'last' : 'next');
  switch (event as ClusterEvent) {
    case 'kubefirst.heartbeat':
      if (match.length === 0) return { kind: 'stranger', kubefirstId: criteria.kubefirstId };
      return match.length === 1
        ? { kind: 'heartbeat', clusterId: (match[0] as KnownCluster).clusterId }
        : { kind: 'ignored' };
    case 'kubefirst.cluster_install.completed':
      return judgeInstall(properties, criteria, match, policy);
    case 'kubefirst.cluster_delete.started':
      return judgeDeletion('ClusterDeletionRequested', criteria, match);
    case 'kubefirst.cluster_delete.completed':
      return judgeDeletion('ClusterDeleted', criteria, match);
  }
}

function matchCriteria(properties: TrackEvent['properties'], at: Instant): ClusterMatchCriteria {
  const {
    cluster_id: kubefirstId,
    cluster_type: clusterType,
    domain,
    parent_cluster_id: parent,
  } = properties;
  // The Helm chart sets a management cluster as its own parent; its kind must not be derived from that.
  const managementId = isManagementType(clusterType)
    ? kubefirstId
    : parent === kubefirstId
      ? undefined
      : parent;
  return { kubefirstId, managementId, clusterType, domain, at };
}

/**
 * Decides the effect of an installation. A cluster that did not exist at the time is new. For an existing cluster
 * only an earlier time matters; repeated installations report a later one.
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
  const [cluster, ...others] = match;
  if (cluster === undefined || isGone(cluster, at)) {
    const clusterId = ledgerIdOf({ managementId, kubefirstId, name: undefined, createdSecond });
    return { kind: 'record', fact: { ...registered, clusterId } };
  }
  // Several candidates are all registered already, and the time of creation in a record takes precedence.
  if (others.length > 0 || cluster.name !== undefined || at >= cluster.registeredAt)
    return { kind: 'ignored' };
  const { clusterId, accountId } = cluster;
  return { kind: 'record', fact: { ...registered, clusterId, accountId } };
}

/**
 * Decides the effect of a deletion. An unknown or ambiguous cluster is never guessed: the event is kept for an
 * operator.
 */
function judgeDeletion(
  type: 'ClusterDeletionRequested' | 'ClusterDeleted',
  { kubefirstId, managementId = kubefirstId, at }: ClusterMatchCriteria,
  match: readonly KnownCluster[],
): TelemetryVerdict {
  const placeholder = ledgerIdOf({ managementId, kubefirstId, name: undefined, createdSecond: 0 });
  const [cluster] = match;
  // A deletion before the registration belongs to another cluster.
  if (cluster === undefined || at < cluster.registeredAt)
    return { kind: 'unknown', fact: { type, clusterId: placeholder, effectiveAt: at } };
  if (isGone(cluster, at)) return { kind: 'ignored' };
  if (match.length > 1) {
    const candidates = match.map(({ clusterId }) => clusterId);
    return { kind: 'ambiguous', fact: { type, clusterId: placeholder, effectiveAt: at }, candidates };
  }
  return { kind: 'record', fact: { type, clusterId: cluster.clusterId, effectiveAt: at } };
}

function isGone({ deletedAt }: KnownCluster, at: Instant): boolean {
  return deletedAt !== undefined && deletedAt <= at;
}
