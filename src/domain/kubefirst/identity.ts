import type { Instant } from '../time.ts';

/**
 * What a cluster of Kubefirst is called in the ledger. Its own `cluster_id` is six characters, reused where a deleted name
 * is created again, and shared by default virtual clusters and their host. So the ledger joins what makes it one of its
 * kind: `<management cluster_id>.<cluster_id>.<name>.<second of creation>`. Telemetry knows no name: there it is `-`.
 */
export interface KubefirstIdentity {
  /** `cluster_id` of the management cluster; a management cluster is its own. */
  readonly managementId: string;
  readonly kubefirstId: string;
  /** `undefined` where only telemetry has spoken of it. */
  readonly name: string | undefined;
  /** Second of its creation, since the epoch; 0 where that is not known. */
  readonly createdSecond: number;
}

/** `cluster_id`; real ones have six characters. */
export const KUBEFIRST_ID = /^[A-Za-z0-9]{1,32}$/;
/** A name that can be part of the name of a Secret. */
export const KUBEFIRST_NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

const UNNAMED = '-';
const LEDGER_ID =
  /^([A-Za-z0-9]{1,32})\.([A-Za-z0-9]{1,32})\.(-|[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?)\.(\d{1,12})$/;

export function ledgerIdOf({ managementId, kubefirstId, name, createdSecond }: KubefirstIdentity): string {
  return `${managementId}.${kubefirstId}.${name ?? UNNAMED}.${createdSecond}`;
}

/** @returns `undefined` where the id is not of this form: then it is no cluster of Kubefirst's. */
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

/** A cluster of Kubefirst's that the ledger has a registration of. */
export interface KnownCluster extends KubefirstIdentity {
  readonly clusterId: string;
  readonly accountId: string;
  readonly billable: boolean;
  readonly clusterType: string | undefined;
  readonly domain: string | undefined;
  /** The name of the place whose records registered it; `undefined` where none did. */
  readonly recordsIn: string | undefined;
  readonly registeredAt: Instant;
  readonly deletedAt: Instant | undefined;
}

/** What an observation says of the cluster that it speaks of. */
export interface ClusterMatchCriteria {
  readonly kubefirstId: string;
  /** Where it is known. */
  readonly managementId: string | undefined;
  readonly clusterType: string | undefined;
  readonly domain: string | undefined;
  readonly at: Instant;
}

/**
 * The one cluster that an observation speaks of. Of those with its `cluster_id`, each thing said narrows the choice: the
 * management cluster and the kind strictly, the domain where any has it. What was there at the time comes first; then, as
 * it is asked for, what came next (an installation that was noted late) or what was deleted last (a deletion noted twice).
 * @returns one cluster; none; or all that it may mean, of which none is to be taken.
 */
export function matchCluster(
  known: readonly KnownCluster[],
  hint: ClusterMatchCriteria,
  otherwise: 'next' | 'last',
): readonly KnownCluster[] {
  const said = known.filter(
    ({ kubefirstId, managementId, clusterType }) =>
      kubefirstId === hint.kubefirstId &&
      (hint.managementId === undefined || hint.managementId === managementId) &&
      mayBeSameKind(hint.clusterType, clusterType),
  );
  const sameDomain = said.filter(({ domain }) => domain !== undefined && domain === hint.domain);
  const candidates = sameDomain.length > 0 ? sameDomain : said;
  const there = existingAt(candidates, hint.at);
  if (there.length > 0) return there;
  const [next, last] = [nextAfter(candidates, hint.at), lastBefore(candidates, hint.at)];
  const [one, other] = otherwise === 'next' ? [next, last] : [last, next];
  return one.length > 0 ? one : other;
}

/** Kubefirst's programs have several names for one kind; what has no entry may be of any. */
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

function mayBeSameKind(said: string | undefined, known: string | undefined): boolean {
  const [one, other] = [kindsOf(said), kindsOf(known)];
  return one === undefined || other === undefined || one.some((kind) => other.includes(kind));
}

function kindsOf(clusterType: string | undefined): readonly string[] | undefined {
  return clusterType !== undefined && Object.hasOwn(KINDS, clusterType) ? KINDS[clusterType] : undefined;
}

/** Whether a type of cluster is a management cluster's, which is its own management cluster. */
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
