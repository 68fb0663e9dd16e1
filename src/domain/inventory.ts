import { type Interval, isBilledAt } from './billing/billing.ts';
import { formatAverage } from './billing/quantity.ts';
import { usageOf } from './billing/usage.ts';
import { HOUR_MS, type Instant } from './time.ts';

/** A cluster that a source knows of. */
export interface InventoryItem {
  /** The source: the scheme of its references, or `kubefirst`. */
  readonly source: string;
  /** How a registration refers to it, in one spelling: `argocd:argocd/c1`. */
  readonly reference: string;
  /** Its id in the ledger, where the source says so. */
  readonly clusterId?: string;
  readonly name: string;
  readonly server?: string;
  /** Since when the source has it, where it says so. */
  readonly since?: Instant;
  /** Listed, but said not to run yet, or to have failed: no stranger where it is not registered. */
  readonly isPending?: boolean;
}

/** What one source said: all that it lists, or that it could not be read. */
export type SourceReading =
  | { readonly source: string; readonly items: readonly InventoryItem[] }
  | { readonly source: string; readonly unreadable: string };

/** What the ledger has of a cluster that is registered and not deleted. */
export interface RegisteredCluster {
  readonly clusterId: string;
  readonly accountId: string;
  readonly name: string;
  /** The reference of its registration, in one spelling. */
  readonly connection?: string | undefined;
  /** Sources that must list it besides the one of its reference. */
  readonly expectedIn?: readonly string[];
  readonly intervals: readonly Interval[];
}

/** What the second source says of a cluster; `unknown` where no source that could list it was read. */
export type InventoryStatus = 'listed' | 'gone' | 'unknown';

/** Something that the ledger and an inventory do not agree on. */
export type InventoryCondition =
  | {
      readonly type: 'billed-but-missing';
      /** Stands for this condition from run to run. */
      readonly key: string;
      readonly clusterId: string;
      readonly accountId: string;
      readonly name: string;
      readonly source: string;
      readonly since: Instant;
      /** Cluster-hours billed since then, 6 decimal places. */
      readonly clusterHours: string;
    }
  | {
      readonly type: 'running-but-unregistered';
      readonly key: string;
      readonly reference: string;
      readonly name: string;
      readonly source: string;
      readonly since: Instant;
      /** Cluster-hours since then that nobody was billed for, 6 decimal places. */
      readonly clusterHours: string;
    };

export interface Reconciliation {
  readonly conditions: readonly InventoryCondition[];
  /** By id of the cluster, for every one that was asked about. */
  readonly statuses: ReadonlyMap<string, InventoryStatus>;
}

/**
 * Compares what sources list with what is registered. It decides nothing: conditions are for people, statuses for the
 * rules of the validator.
 * @param readings one per source. @param registered all clusters that are registered and not deleted.
 * @param known references of clusters that the ledger knows otherwise, such as deleted ones: they are no strangers.
 * @param firstSeen when a condition of a key was first found, where it was before.
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
    if (status !== 'gone' || source === undefined || !isBilledAt(cluster.intervals, now)) continue;
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

/** What the sources list, by reference and by cluster id. */
class InventoryIndex {
  readonly #items: InventoryItem[] = [];
  readonly #sources = new Map<string, 'read' | 'unreadable'>();
  readonly #references = new Set<string>();
  /** `source` and id of every cluster that is listed by its id. */
  readonly #ids = new Set<string>();

  constructor(readings: readonly SourceReading[]) {
    for (const reading of readings) {
      const isRead = 'items' in reading;
      // One of two readings of a source that failed leaves it unknown what is gone.
      if (this.#sources.get(reading.source) !== 'unreadable')
        this.#sources.set(reading.source, isRead ? 'read' : 'unreadable');
      if (!isRead) continue;
      for (const item of reading.items) {
        this.#items.push(item);
        this.#references.add(item.reference);
        if (item.clusterId !== undefined) this.#ids.add(`${item.source} ${item.clusterId}`);
      }
    }
  }

  /** `listed` where any source lists it; `gone` where one that should was read and does not, and none is unread. */
  statusOf(cluster: RegisteredCluster): { readonly status: InventoryStatus; readonly source?: string } {
    const { clusterId, connection } = cluster;
    const expected = new Set(cluster.expectedIn);
    const scheme = connection?.split(':', 1)[0];
    if (connection !== undefined && scheme !== undefined && this.#sources.has(scheme)) expected.add(scheme);
    let gone: string | undefined;
    let isUnknown = expected.size === 0;
    for (const source of this.#sources.keys()) {
      if (this.#ids.has(`${source} ${clusterId}`)) return { status: 'listed', source };
    }
    if (connection !== undefined && this.#references.has(connection))
      return { status: 'listed', ...(scheme !== undefined && { source: scheme }) };
    for (const source of expected) {
      if (this.#sources.get(source) === 'read') gone ??= source;
      else isUnknown = true;
    }
    return isUnknown || gone === undefined ? { status: 'unknown' } : { status: 'gone', source: gone };
  }

  /** What is listed and no registered cluster is, each once, in order of its reference. */
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

/** Milliseconds of one cluster as hours with 6 decimal places, half to even. */
export function hours(ms: bigint): string {
  return formatAverage(ms, BigInt(HOUR_MS));
}
