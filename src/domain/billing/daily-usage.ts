import { DAY_MS, type Instant, type Window } from '../time.ts';
import { peakBetween, type Usage, usageFrom } from './usage-meter.ts';

/**
 * Measures the usage of each day of a window in one pass over the billed intervals. It equals a `UsageMeter` for each day.
 * An interval costs as much as it has days, and memory is needed for the days and for the instants inside them.
 */
class DailyMeter {
  readonly #days: readonly Window[];
  readonly #billed: Float64Array;
  readonly #clusters: Int32Array;
  readonly #atStart: Int32Array;
  readonly #atEnd: Int32Array;
  /** For each day, the last cluster that is billed in it: a cluster counts once, whatever the order of its intervals. */
  readonly #lastCluster: Int32Array;
  /** Instants inside the days, not at their edges, at which billed intervals start and end. */
  #starts: number[] = [];
  #ends: number[] = [];

  constructor(days: readonly Window[]) {
    this.#days = days;
    this.#billed = new Float64Array(days.length);
    this.#clusters = new Int32Array(days.length);
    this.#atStart = new Int32Array(days.length);
    this.#atEnd = new Int32Array(days.length);
    this.#lastCluster = new Int32Array(days.length).fill(-1);
  }

  /** Adds a billed interval that lies within the days. */
  add(cluster: number, start: Instant, end: Instant): void {
    const days = this.#days;
    const last = this.#indexOf(end - 1);
    for (let day = this.#indexOf(start); day <= last; day++) {
      const { from, to } = days[day] as Window;
      const since = start > from ? start : from;
      const until = end < to ? end : to;
      this.#billed[day] = (this.#billed[day] as number) + until - since;
      if (this.#lastCluster[day] !== cluster) this.#clusters[day] = (this.#clusters[day] as number) + 1;
      this.#lastCluster[day] = cluster;
      if (since === from) this.#atStart[day] = (this.#atStart[day] as number) + 1;
      else this.#starts.push(since);
      if (until === to) this.#atEnd[day] = (this.#atEnd[day] as number) + 1;
      else this.#ends.push(until);
    }
  }

  /** Only the first and the last day may be shorter than others. */
  #indexOf(at: Instant): number {
    const first = (this.#days[0] as Window).from;
    return Math.floor(at / DAY_MS) - Math.floor(first / DAY_MS);
  }

  /** Returns whether anything is billed on a day. */
  hasUsage(day: number): boolean {
    return this.#clusters[day] !== 0;
  }

  /** Returns the usage of each day when it is asked for. Nothing may be added afterwards. */
  finish(): (day: number) => Usage {
    const [starts, ends] = [Float64Array.from(this.#starts).sort(), Float64Array.from(this.#ends).sort()];
    this.#starts = [];
    this.#ends = [];
    return (day) => {
      const window = this.#days[day] as Window;
      const clustersAtStart = this.#atStart[day] as number;
      const measures = {
        billableClusters: this.#clusters[day] as number,
        billed: BigInt(this.#billed[day] as number),
        peakClusters: peakBetween(clustersAtStart, within(starts, window), within(ends, window)),
        clustersAtStart,
        clustersAtEnd: this.#atEnd[day] as number,
      };
      return usageFrom(measures, window);
    };
  }
}

/** Returns the part of sorted instants that is in a window. */
function within(sorted: Float64Array, { from, to }: Window): Float64Array {
  return sorted.subarray(firstFrom(sorted, from), firstFrom(sorted, to));
}

function firstFrom(sorted: Float64Array, at: Instant): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(sorted[middle]) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The usage of one day, whole and of each group that is billed on it, in no particular order. */
export interface DayUsage<Group> {
  readonly usage: Usage;
  readonly groups: readonly (readonly [Group, Usage])[];
}

/** Measures the usage of each day, whole and by group, such as the cluster type. */
export class GroupedDailyMeter<Group extends string | number | null> {
  readonly #days: readonly Window[];
  readonly #whole: DailyMeter;
  readonly #groups = new Map<Group, DailyMeter>();
  #cluster = 0;

  /** @param days consecutive days as `daysOf` returns them. */
  constructor(days: readonly Window[]) {
    this.#days = days;
    this.#whole = new DailyMeter(days);
  }

  /** Adds a billed interval of the current cluster. @param until infinite while the cluster is still billed. */
  add(since: Instant, until: Instant, group: Group): void {
    const [first, last] = [this.#days[0], this.#days.at(-1)];
    if (first === undefined || last === undefined) return;
    const start = Math.max(since, first.from);
    const end = Math.min(until, last.to);
    if (start >= end) return;
    this.#whole.add(this.#cluster, start, end);
    let meter = this.#groups.get(group);
    if (meter === undefined) {
      meter = new DailyMeter(this.#days);
      this.#groups.set(group, meter);
    }
    meter.add(this.#cluster, start, end);
  }

  /** Ends the current cluster: the next interval is of another one. */
  endCluster(): void {
    this.#cluster++;
  }

  /** Yields the usage of each day in order. Each is formatted when it is asked for. */
  *days(): Generator<DayUsage<Group>> {
    const whole = this.#whole.finish();
    const groups = Array.from(this.#groups, ([group, meter]) => ({ group, meter, usage: meter.finish() }));
    for (let day = 0; day < this.#days.length; day++) {
      const billed = groups.filter(({ meter }) => meter.hasUsage(day));
      yield { usage: whole(day), groups: billed.map(({ group, usage }) => [group, usage(day)] as const) };
    }
  }
}
