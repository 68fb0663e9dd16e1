import type { Instant } from '../time.ts';

/**
 * Parts of the ledger id of a Kubefirst cluster: `<management cluster_id>.<cluster_id>.<name>.<second of
 * creation>`. The `cluster_id` alone is not unique: it has six characters, is reused when a deleted name is created
 * again, and is shared by default virtual clusters and their host. Telemetry has no name and uses `-`.
 */
export interface KubefirstIdentity {
  /** `cluster_id` of the management cluster; a management cluster has its own. */
  readonly managementId: string;
  readonly kubefirstId: string;
  /** `undefined` if the cluster is known from telemetry only. */
  readonly name: string | undefined;
  /** Second of the creation since the epoch; 0 if unknown. */
  readonly createdSecond: number;
}

/** Format of a `cluster_id`; real ones have six characters. */
export const KUBEFIRST_ID = /^[A-Za-z0-9]{1,32}$/;
/** Format of a name; it is part of the name of a Secret. */
export const KUBEFIRST_NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

const UNNAMED = '-';
const LEDGER_ID =
  /^([A-Za-z0-9]{1,32})\.([A-Za-z0-9]{1,32})\.(-|[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?)\.(\d{1,12})$/;

export function ledgerIdOf({ managementId, kubefirstId, name, createdSecond }: KubefirstIdentity): string {
  return `${managementId}.${kubefirstId}.${name ?? UNNAMED}.${createdSecond}`;
}

/** Parses a ledger id. @returns `undefined` if the cluster is not one of Kubefirst. */
export function identityOf(ledgerId: string): KubefirstIdentity | undefined {
  const match = LEDGER_ID.exec(ledgerId);
  if (match === null) return undefined;
  const [managementId, kubefirstId, name, second] = match.slice(1) as [string, string, string, string];
  return {
    managementId,
    kubefirstId,
    name: name === UNNAMED ? undefined : name,
    createdSecond: Number(second),
  };
}

/** A Kubefirst cluster that is registered in the ledger. */
export interface KnownCluster extends KubefirstIdentity {
  readonly clusterId: string;
  readonly accountId: string;
  readonly billable: boolean;
  readonly clusterType: string | undefined;
  readonly domain: string | undefined;
  /** Name of the place whose records registered it; `undefined` if no record did. */
  readonly recordsIn: string | undefined;
  readonly registeredAt: Instant;
  readonly deletedAt: Instant | undefined;
}

/** Properties that an observation gives about its cluster. */
export interface ClusterMatchCriteria {
  readonly kubefirstId: string;
  /** `undefined` if the observation does not contain it. */
  readonly managementId: string | undefined;
  readonly clusterType: string | undefined;
  readonly domain: string | undefined;
  readonly at: Instant;
}

/**
 * Finds the cluster that an observation is about. Of the clusters with its `cluster_id`, the management cluster and
 * the kind must match; the domain narrows the choice if any cluster has it. Clusters that existed at the time come
 * first. Otherwise `fallback` decides: the next one (an installation reported late) or the last deleted one (a
 * deletion reported twice).
 * @returns one cluster, none, or several candidates if the observation is ambiguous.
 */
export function matchCluster(
  known: readonly KnownCluster[],
  criteria: ClusterMatchCriteria,
  fallback: 'next' | 'last',
): readonly KnownCluster[] {
  const matching = known.filter(
    ({ kubefirstId, managementId, clusterType }) =>
      kubefirstId === criteria.kubefirstId &&
      (criteria.managementId === undefined || criteria.managementId === managementId) &&
      mayBeSameKind(criteria.clusterType, clusterType),
  );
  const equal = matching.filter(({ domain }) => domain !== undefined && domain === criteria.domain);
  const shared =
    equal.length > 0 ? equal : matching.filter(({ domain }) => shareDomain(domain, criteria.domain));
  const candidates = shared.length > 0 ? shared : matching;
  const existing = existingAt(candidates, criteria.at);
  if (existing.length > 0) return existing;
  const [next, last] = [nextAfter(candidates, criteria.at), lastBefore(candidates, criteria.at)];
  const [one, other] = fallback === 'next' ? [next, last] : [last, next];
  return one.length > 0 ? one : other;
}

/** Returns a domain cut to its last two labels, as the telemetry of Kubefirst sends it. */
export function cutDomain(domain: string): string {
  return domain.split('.').slice(-2).join('.');
}

/** Returns whether two domains can be those of one platform: they are equal, or one is the other cut to two labels. */
export function shareDomain(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one === other || one === cutDomain(other) || other === cutDomain(one);
}

/** Kinds by cluster type. Kubefirst uses several names for a kind; a type that is not listed can be any kind. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  mgmt: ['management'],
  bootstrap: ['management'],
  workload: ['physical', 'virtual'],
  'workload-cluster': ['physical'],
  physical: ['physical'],
  gpu: ['physical'],
  'workload-vcluster': ['virtual'],
  virtual: ['virtual'],
};

function mayBeSameKind(observed: string | undefined, known: string | undefined): boolean {
  const [one, other] = [kindsOf(observed), kindsOf(known)];
  return one === undefined || other === undefined || one.some((kind) => other.includes(kind));
}

function kindsOf(clusterType: string | undefined): readonly string[] | undefined {
  return clusterType !== undefined && Object.hasOwn(KINDS, clusterType) ? KINDS[clusterType] : undefined;
}

/** Returns whether a cluster type is that of a management cluster. */
export function isManagementType(clusterType: string | undefined): boolean {
  return kindsOf(clusterType)?.[0] === 'management';
}

function existingAt(clusters: readonly KnownCluster[], at: Instant): readonly KnownCluster[] {
  return clusters.filter(
    ({ registeredAt, deletedAt }) => registeredAt <= at && (deletedAt === undefined || at < deletedAt),
  );
}

function nextAfter(clusters: readonly KnownCluster[], at: Instant): readonly KnownCluster[] {
  const later = clusters.filter(({ registeredAt }) => registeredAt > at);
  const first = Math.min(...later.map(({ registeredAt }) => registeredAt));
  return later.filter(({ registeredAt }) => registeredAt === first);
}

function lastBefore(clusters: readonly KnownCluster[], at: Instant): readonly KnownCluster[] {
  const earlier = clusters.filter(({ deletedAt }) => deletedAt !== undefined && deletedAt <= at);
  const last = Math.max(...earlier.map(({ deletedAt }) => deletedAt ?? 0));
  return earlier.filter(({ deletedAt }) => deletedAt === last);
}
