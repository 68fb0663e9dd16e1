import type { Instant, Window } from '../time.ts';
import type { Interval } from './billing.ts';
import { type Usage, usageFrom } from './usage.ts';

/**
 * The usage of an account while its clusters change one by one: as `usageOf` would give it of all their intervals, at the
 * cost of what changed. How many are billed at once is kept as differences at the instants at which it may change, in a
 * tree whose root knows the most.
 */
export class RunningUsage {
  readonly #counted: Window;
  readonly #edges: Float64Array;
  readonly #leaves: number;
  /** Of each node of the tree: the sum of the differences below it, and the most that a sum of its first ones comes to. */
  readonly #sum: Int32Array;
  readonly #most: Int32Array;
  #billed = 0n;
  /** By cluster, how many of its intervals count; none is 0 for longer than between two changes. */
  readonly #counting = new Map<number, number>();
  #atStart = 0;
  #atEnd = 0;
  #usage: Usage | undefined;

  /**
   * @param counted the window, already cut at the instant asked about.
   * @param edges every instant at which an interval will ever begin or end.
   */
  constructor(counted: Window, edges: Iterable<Instant>) {
    this.#counted = counted;
    const inside = new Set<Instant>();
    for (const edge of edges) if (counted.from < edge && edge < counted.to) inside.add(edge);
    this.#edges = Float64Array.from(inside).sort();
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, this.#edges.length)));
    this.#sum = new Int32Array(2 * this.#leaves);
    this.#most = new Int32Array(2 * this.#leaves);
  }

  /** Takes the intervals of one cluster out and puts others in. @throws RangeError at an edge that was not announced. */
  replace(cluster: number, before: readonly Interval[], after: readonly Interval[]): void {
    let same = 0;
    while (same < before.length && same < after.length && isSame(before[same], after[same])) same++;
    const add = ({ from, to }: Interval, sign: 1 | -1) =>
      this.add(cluster, from, to ?? Number.POSITIVE_INFINITY, sign);
    for (let i = same; i < before.length; i++) add(before[i] as Interval, -1);
    for (let i = same; i < after.length; i++) add(after[i] as Interval, 1);
  }

  /**
   * Puts a billed interval of a cluster in, or takes it out.
   * @param until infinite where it is still billed. @throws RangeError at an edge that was not announced.
   */
  add(cluster: number, since: Instant, until: Instant, sign: 1 | -1): void {
    const { from, to } = this.#counted;
    const start = Math.max(since, from);
    const end = Math.min(until, to);
    if (start >= end) return;
    this.#usage = undefined;
    this.#counting.set(cluster, (this.#counting.get(cluster) ?? 0) + sign);
    if (this.#counting.get(cluster) === 0) this.#counting.delete(cluster);
    this.#billed += BigInt(sign * (end - start));
    if (start === from) this.#atStart += sign;
    else this.#differ(start, sign);
    if (end === to) this.#atEnd += sign;
    else this.#differ(end, -sign);
  }

  /** The same object until something changes. */
  get usage(): Usage {
    this.#usage ??= usageFrom(
      {
        billableClusters: this.#counting.size,
        billed: this.#billed,
        peakClusters: this.#atStart + (this.#most[1] as number),
        clustersAtStart: this.#atStart,
        clustersAtEnd: this.#atEnd,
      },
      this.#counted,
    );
    return this.#usage;
  }

  #differ(at: Instant, difference: number): void {
    let node = this.#leaves + this.#leafOf(at);
    const changed = (this.#sum[node] as number) + difference;
    this.#sum[node] = changed;
    this.#most[node] = Math.max(0, changed);
    for (node >>= 1; node >= 1; node >>= 1) {
      const left = 2 * node;
      const leftSum = this.#sum[left] as number;
      this.#sum[node] = leftSum + (this.#sum[left + 1] as number);
      this.#most[node] = Math.max(this.#most[left] as number, leftSum + (this.#most[left + 1] as number));
    }
  }

  #leafOf(at: Instant): number {
    let low = 0;
    for (let high = this.#edges.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.#edges[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    if (this.#edges[low] !== at) throw new RangeError(`nothing was said of a change at ${at}`);
    return low;
  }
}

function isSame(a: Interval | undefined, b: Interval | undefined): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}
