import type { Instant, Window } from '../time.ts';
import type { Interval } from './billing.ts';
import { ExactSum, extended, formatAverage, formatSeconds, type Milliseconds } from './quantity.ts';

/** Usage of an account in a window. docs/billing-rules.md defines each measure. */
export interface Usage {
  /** Number of clusters billed for more than 0 ms. This is the count that customers are charged by. */
  readonly billableClusters: number;
  /** Billed time in seconds, with 3 decimal places. */
  readonly clusterSeconds: string;
  readonly peakClusters: number;
  readonly clustersAtStart: number;
  readonly clustersAtEnd: number;
  /** Billed time divided by the length of the counted window, with 6 decimal places, rounded half to even. */
  readonly averageClusters: string;
}

/** The usage of the clusters of one type; `clusterType` is `null` if no fact says a type. */
export interface TypeUsage extends Usage {
  readonly clusterType: string | null;
}

/** The usage of an account, whole and by cluster type. */
export interface UsageBreakdown {
  readonly usage: Usage;
  /** The types that were billed in the window, in order; `null` first. A cluster that changed its type counts in each. */
  readonly byType: readonly TypeUsage[];
}

/** Stands for all cluster types together in limits and in tables, where a cluster type is expected. */
export const ALL_TYPES = '*';

/** The measures before they are formatted. */
export interface Measures {
  billableClusters: number;
  billed: Milliseconds;
  peakClusters: number;
  clustersAtStart: number;
  clustersAtEnd: number;
}

/** The measures of an account, whole and by group. */
export interface GroupedMeasures<Group> {
  readonly whole: Readonly<Measures>;
  /** The groups with billed time, in no particular order. The only group has the same object as the whole. */
  readonly groups: readonly (readonly [group: Group, measures: Readonly<Measures>])[];
}

/** Returns the part of a window up to `through`; an empty window if `through` is before its start. */
export function clippedWindow(window: Window, through: Instant): Window {
  return { from: window.from, to: Math.max(window.from, Math.min(window.to, through)) };
}

/**
 * Returns the usage of one account.
 * @param clusters the billed intervals of each of its clusters.
 * @param counted the window, already cut at the instant asked about (`clippedWindow`).
 */
export function usageOf(
  clusters: Iterable<readonly Pick<Interval, 'from' | 'to' | 'clusterType'>[]>,
  counted: Window,
): UsageBreakdown {
  const meter = meterOf(clusters, ({ clusterType }) => clusterType, counted);
  return { usage: meter.usage, byType: typesInOrder(meter.groups) };
}

/** Measures billed intervals of clusters by a group that each interval has. */
export function meterOf<I extends Pick<Interval, 'from' | 'to'>, Group extends string | number | null>(
  clusters: Iterable<readonly I[]>,
  groupOf: (interval: I) => Group,
  counted: Window,
): GroupedUsageMeter<Group> {
  const meter = new GroupedUsageMeter<Group>(counted);
  for (const intervals of clusters) {
    for (const interval of intervals)
      meter.add(interval.from, interval.to ?? Number.POSITIVE_INFINITY, groupOf(interval));
    meter.endCluster();
  }
  return meter;
}

/** Returns the usage of each type in order of the types, `null` first. */
export function typesInOrder(types: readonly (readonly [string | null, Usage])[]): TypeUsage[] {
  return types
    .map(([clusterType, usage]) => typeUsage(clusterType, usage))
    .sort((a, b) => compareTypes(a.clusterType, b.clusterType));
}

/** Compares cluster types by code unit; `null` comes first. */
export function compareTypes(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}

/**
 * Formats the measures of a window.
 * @param later milliseconds from the instant up to which they were measured to the end of the window; may be negative. No interval may
 *   start or end in between.
 */
export function usageFrom(measures: Readonly<Measures>, counted: Window, later = 0): Usage {
  const billed = extended(measures.billed, measures.clustersAtEnd, later);
  return {
    billableClusters: measures.billableClusters,
    clusterSeconds: formatSeconds(billed),
    peakClusters: measures.peakClusters,
    clustersAtStart: measures.clustersAtStart,
    clustersAtEnd: measures.clustersAtEnd,
    averageClusters: formatAverage(billed, counted.to - counted.from),
  };
}

/** Returns the usage of a type. Copying the members one by one is faster than spreading them behind another one. */
export function typeUsage(clusterType: string | null, usage: Usage): TypeUsage {
  return {
    clusterType,
    billableClusters: usage.billableClusters,
    clusterSeconds: usage.clusterSeconds,
    peakClusters: usage.peakClusters,
    clustersAtStart: usage.clustersAtStart,
    clustersAtEnd: usage.clustersAtEnd,
    averageClusters: usage.averageClusters,
  };
}

/** Measures the usage of an account, interval by interval and cluster by cluster. */
export class UsageMeter {
  readonly #counted: Window;
  readonly #from: Instant;
  readonly #to: Instant;
  readonly #billed = new ExactSum();
  /** Instants inside the window, not at its edges, at which billed intervals start and end. */
  readonly #starts: Instant[] = [];
  readonly #ends: Instant[] = [];
  #billableClusters = 0;
  #atStart = 0;
  #atEnd = 0;
  /** Whether the current cluster is billed in the window. */
  #counts = false;

  /** @param counted the window, already clipped (`clippedWindow`). */
  constructor(counted: Window) {
    this.#counted = counted;
    this.#from = counted.from;
    this.#to = counted.to;
  }

  /**
   * Adds a billed interval of the current cluster.
   * @param until infinite while the cluster is still billed.
   * @returns whether any of the interval is in the window.
   */
  add(since: Instant, until: Instant): boolean {
    const start = since > this.#from ? since : this.#from;
    const end = until < this.#to ? until : this.#to;
    if (start >= end) return false;
    this.#counts = true;
    this.#billed.add(end - start);
    if (start === this.#from) this.#atStart++;
    else this.#starts.push(start);
    if (end === this.#to) this.#atEnd++;
    else this.#ends.push(end);
    return true;
  }

  /** Returns a meter that has measured the same. */
  clone(): UsageMeter {
    const copy = new UsageMeter(this.#counted);
    copy.#billed.addAll(this.#billed);
    for (const start of this.#starts) copy.#starts.push(start);
    for (const end of this.#ends) copy.#ends.push(end);
    copy.#billableClusters = this.#billableClusters;
    copy.#atStart = this.#atStart;
    copy.#atEnd = this.#atEnd;
    copy.#counts = this.#counts;
    return copy;
  }

  /** Ends the current cluster: the next interval belongs to another one. */
  endCluster(): void {
    if (this.#counts) this.#billableClusters++;
    this.#counts = false;
  }

  get measures(): Measures {
    return {
      billableClusters: this.#billableClusters,
      billed: this.#billed.total,
      peakClusters: peak(this.#atStart, this.#starts, this.#ends),
      clustersAtStart: this.#atStart,
      clustersAtEnd: this.#atEnd,
    };
  }

  get usage(): Usage {
    return usageFrom(this.measures, this.#counted);
  }
}

/**
 * Measures the usage of an account whole and by group, such as the cluster type. While all intervals are of one group, only
 * the whole is measured.
 */
export class GroupedUsageMeter<Group extends string | number | null> {
  readonly #whole: UsageMeter;
  readonly #counted: Window;
  #only: { readonly group: Group } | undefined;
  #groups: Map<Group, UsageMeter> | undefined;

  /** @param counted the window, already cut at the instant asked about (`clippedWindow`). */
  constructor(counted: Window) {
    this.#counted = counted;
    this.#whole = new UsageMeter(counted);
  }

  /** Adds a billed interval of the current cluster. @param until infinite while the cluster is still billed. */
  add(since: Instant, until: Instant, group: Group): void {
    if (this.#groups === undefined) {
      if (this.#only === undefined || this.#only.group === group) {
        if (this.#whole.add(since, until)) this.#only ??= { group };
        return;
      }
      if (since >= this.#counted.to || until <= this.#counted.from) return;
      this.#groups = new Map([[this.#only.group, this.#whole.clone()]]);
    }
    if (!this.#whole.add(since, until)) return;
    let meter = this.#groups.get(group);
    if (meter === undefined) {
      meter = new UsageMeter(this.#counted);
      this.#groups.set(group, meter);
    }
    meter.add(since, until);
  }

  /** Ends the current cluster: the next interval is of another one. */
  endCluster(): void {
    this.#whole.endCluster();
    if (this.#groups !== undefined) for (const meter of this.#groups.values()) meter.endCluster();
  }

  get usage(): Usage {
    return this.#whole.usage;
  }

  get measures(): GroupedMeasures<Group> {
    const whole = this.#whole.measures;
    if (this.#groups !== undefined)
      return { whole, groups: Array.from(this.#groups, ([group, meter]) => [group, meter.measures]) };
    return { whole, groups: this.#only === undefined ? [] : [[this.#only.group, whole]] };
  }

  /** The groups with billed time in the window, in no particular order. */
  get groups(): [Group, Usage][] {
    if (this.#groups !== undefined) return Array.from(this.#groups, ([group, meter]) => [group, meter.usage]);
    return this.#only === undefined ? [] : [[this.#only.group, this.usage]];
  }
}

/** Returns the maximum number of clusters at one instant. */
function peak(atStart: number, unsortedStarts: readonly Instant[], unsortedEnds: readonly Instant[]): number {
  if (unsortedStarts.length === 0 || unsortedEnds.length === 0) return atStart + unsortedStarts.length;
  return peakBetween(
    atStart,
    Float64Array.from(unsortedStarts).sort(),
    Float64Array.from(unsortedEnds).sort(),
  );
}

/**
 * Returns the maximum number of clusters at one instant. Intervals are half-open: at equal times, ends come before starts.
 * @param starts sorted instants at which intervals start, and `ends` those at which they end.
 */
export function peakBetween(atStart: number, starts: Float64Array, ends: Float64Array): number {
  let billed = atStart;
  let most = atStart;
  let ended = 0;
  for (const start of starts) {
    while (ended < ends.length && Number(ends[ended]) <= start) {
      ended++;
      billed--;
    }
    most = Math.max(most, ++billed);
  }
  return most;
}
