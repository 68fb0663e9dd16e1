import { type Interval, isBilledAt } from './billing/billing.ts';
import { formatAverage } from './billing/quantity.ts';
import { usageOf } from './billing/usage-meter.ts';
import { identityOf } from './kubefirst/identity.ts';
import { HOUR_MS, type Instant } from './time.ts';

/** A cluster that a source lists. */
export interface InventoryItem {
  /** Scheme of the references of the source, or `kubefirst`. */
  readonly source: string;
  /** Canonical form of the `connection` of a registration, such as `argocd:argocd/c1`. */
  readonly reference: string;
  /** Id of the cluster in the ledger, if the source knows it. */
  readonly clusterId?: string;
  readonly name: string;
  readonly server?: string;
  /** When the source first listed the cluster, if it says so. */
  readonly since?: Instant;
  /** Whether the source reports that the cluster is not running yet, or failed. It then need not be registered. */
  readonly isPending?: boolean;
}

/** The list of one source, or why it could not be read. */
export type SourceReading =
  | { readonly source: string; readonly items: readonly InventoryItem[] }
  | { readonly source: string; readonly unreadable: string }
  /** The source can be read and has no list. */
  | { readonly source: string; readonly isReadable: true };

/** A cluster that is registered and not deleted. */
export interface RegisteredCluster {
  readonly clusterId: string;
  readonly accountId: string;
  readonly name: string;
  /** Canonical form of the `connection` of its registration. */
  readonly connection?: string | undefined;
  /** Sources that must list the cluster, besides the source of its `connection`. */
  readonly expectedIn?: readonly string[];
  /** Id of the management cluster whose record has it, as Kubefirst gives it. */
  readonly hostId?: string | undefined;
  readonly intervals: readonly Interval[];
}

/**
 * Status of a cluster in the inventory. `gone-with-host`: the management cluster that its records belong to is gone
 * from the inventory too. `unknown`: no source that could list it was read.
 */
export const INVENTORY_STATUSES = ['listed', 'gone', 'gone-with-host', 'unknown'] as const;
export type InventoryStatus = (typeof INVENTORY_STATUSES)[number];

/** Returns whether the inventory was read and does not list the cluster. */
export function isGoneFromInventory(status: InventoryStatus): boolean {
  return status === 'gone' || status === 'gone-with-host';
}

/** A difference between the ledger and the inventory. */
export type InventoryCondition =
  | {
      readonly type: 'billed-but-missing';
      /** Identifies the condition in every run. */
      readonly key: string;
      readonly clusterId: string;
      readonly accountId: string;
      readonly name: string;
      readonly source: string;
      readonly since: Instant;
      /** Cluster-hours billed since then, with 6 decimal places. */
      readonly clusterHours: string;
    }
  | {
      readonly type: 'running-but-unregistered';
      readonly key: string;
      readonly reference: string;
      readonly name: string;
      readonly source: string;
      readonly since: Instant;
      /** Cluster-hours since then that no account was billed for, with 6 decimal places. */
      readonly clusterHours: string;
    };

export interface Reconciliation {
  readonly conditions: readonly InventoryCondition[];
  /** Status of each registered cluster, by its id. */
  readonly statuses: ReadonlyMap<string, InventoryStatus>;
}

/**
 * Compares the lists of the sources with the registered clusters. Conditions become alerts; statuses are input of the
 * rules of the validator.
 * @param readings one per source.
 * @param registered all clusters that are registered and not deleted.
 * @param known references and ids of other clusters of the ledger, such as deleted ones. They are never reported as
 * unregistered.
 * @param firstSeen returns when the condition with a key was first found, or `undefined` if it is new.
 */
export function reconcileInventory(
  readings: readonly SourceReading[],
  registered: readonly RegisteredCluster[],
  now: Instant,
  {
    known = new Set(),
    firstSeen = () => undefined,
  }: {
    readonly known?: ReadonlySet<string>;
    readonly firstSeen?: (key: string) => Instant | undefined;
  } = {},
): Reconciliation {
  const index = new InventoryIndex(readings);
  const statuses = new Map<string, InventoryStatus>();
  const conditions: InventoryCondition[] = [];
  for (const cluster of registered) {
    const { status, source } = index.statusOf(cluster);
    statuses.set(cluster.clusterId, status);
    if (!isGoneFromInventory(status) || source === undefined || !isBilledAt(cluster.intervals, now)) continue;
    const { clusterId, accountId, name } = cluster;
    const key = `billed-but-missing:${clusterId}`;
    const since = firstSeen(key) ?? now;
    const clusterHours = hoursBilled(cluster.intervals, since, now);
    conditions.push({
      type: 'billed-but-missing',
      key,
      clusterId,
      accountId,
      name,
      source,
      since,
      clusterHours,
    });
  }
  for (const item of index.unregistered(registered, known)) {
    const { reference, name, source } = item;
    const key = `running-but-unregistered:${reference}`;
    const since = Math.min(now, item.since ?? firstSeen(key) ?? now);
    const clusterHours = hours(BigInt(now - since));
    conditions.push({ type: 'running-but-unregistered', key, reference, name, source, since, clusterHours });
  }
  return { conditions, statuses };
}

/** The listed clusters, by reference and by cluster id. */
class InventoryIndex {
  readonly #items: InventoryItem[] = [];
  readonly #sources = new Map<string, 'read' | 'unreadable'>();
  readonly #references = new Set<string>();
  /** `source` and id of every item that has a cluster id. */
  readonly #ids = new Set<string>();
  /** Ids of the management clusters whose records a source lists. */
  readonly #hosts = new Set<string>();

  constructor(readings: readonly SourceReading[]) {
    for (const reading of readings) {
      if ('isReadable' in reading) continue;
      const isRead = 'items' in reading;
      // If one of two readings of a source failed, absence from the other one proves nothing.
      if (this.#sources.get(reading.source) !== 'unreadable')
        this.#sources.set(reading.source, isRead ? 'read' : 'unreadable');
      if (!isRead) continue;
      for (const item of reading.items) {
        this.#items.push(item);
        this.#references.add(item.reference);
        if (item.clusterId === undefined) continue;
        this.#ids.add(`${item.source} ${item.clusterId}`);
        const managementId = identityOf(item.clusterId)?.managementId;
        if (managementId !== undefined) this.#hosts.add(managementId);
      }
    }
  }

  /** Returns `listed` if any source lists the cluster, and `gone` if all expected sources were read and none lists it. */
  statusOf(cluster: RegisteredCluster): { readonly status: InventoryStatus; readonly source?: string } {
    const { clusterId, connection } = cluster;
    const expected = new Set(cluster.expectedIn);
    const place = connection === undefined ? undefined : this.#placeOf(connection);
    if (place !== undefined) expected.add(place);
    let gone: string | undefined;
    let isUnknown = expected.size === 0;
    for (const source of this.#sources.keys()) {
      if (this.#ids.has(`${source} ${clusterId}`)) return { status: 'listed', source };
    }
    if (connection !== undefined && this.#references.has(connection))
      return { status: 'listed', ...(place !== undefined && { source: place }) };
    for (const source of expected) {
      if (this.#sources.get(source) === 'read') gone ??= source;
      else isUnknown = true;
    }
    if (isUnknown || gone === undefined) return { status: 'unknown' };
    const isHosted = cluster.hostId === undefined || this.#hosts.has(cluster.hostId);
    return { status: isHosted ? 'gone' : 'gone-with-host', source: gone };
  }

  /** Returns the source that lists the clusters with such a reference: its scheme, or with its management cluster. */
  #placeOf(connection: string): string | undefined {
    const [scheme = '', name = ''] = connection.split(/:(.*)/s);
    const [first = '', ...rest] = name.split('/');
    const named = `${scheme}/${first}`;
    if (rest.length >= 2 && this.#sources.has(named)) return named;
    return this.#sources.has(scheme) ? scheme : undefined;
  }

  /** Returns each listed cluster that is not registered once, ordered by reference. */
  unregistered(
    registered: readonly RegisteredCluster[],
    known: ReadonlySet<string>,
  ): readonly InventoryItem[] {
    const connections = new Set(registered.map(({ connection }) => connection));
    const ids = new Set(registered.map(({ clusterId }) => clusterId));
    const unregistered = new Map<string, InventoryItem>();
    for (const item of this.#items) {
      if (item.isPending === true || connections.has(item.reference) || known.has(item.reference)) continue;
      if (item.clusterId !== undefined && (ids.has(item.clusterId) || known.has(item.clusterId))) continue;
      unregistered.set(item.reference, item);
    }
    return [...unregistered.values()].sort((a, b) => (a.reference < b.reference ? -1 : 1));
  }
}

function hoursBilled(intervals: readonly Interval[], from: Instant, to: Instant): string {
  const { usage } = usageOf([intervals], { from, to: Math.max(from, to) });
  return hours(BigInt(usage.clusterSeconds.replace('.', '')));
}

/** Formats milliseconds as hours with 6 decimal places, rounded half to even. */
export function hours(ms: bigint): string {
  return formatAverage(ms, HOUR_MS);
}
