import type { Instant, Window } from '../time.ts';
import { type Usage, usageFrom } from './usage-meter.ts';

/**
 * Usage of an account that is updated as billed intervals are added and removed. It equals `usageOf` of all intervals, but an
 * update costs only O(log n). A segment tree over the instants at which the number of billed clusters may change keeps
 * the maximum prefix sum of the differences, which is the peak.
 */
export class RunningUsage {
  readonly #counted: Window;
  readonly #edges: Float64Array;
  readonly #leaves: number;
  /** For each node of the tree: the sum of the differences below it, and the maximum sum of a prefix of them. */
  readonly #sum: Int32Array;
  readonly #most: Int32Array;
  #billed = 0n;
  /** Number of intervals inside the window, by cluster. Clusters without any have no entry. */
  readonly #counting = new Map<number, number>();
  #atStart = 0;
  #atEnd = 0;
  #usage: Usage | undefined;

  /**
   * @param counted the window, already clipped (`clippedWindow`).
   * @param edges all instants at which an interval may start or end.
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

  /**
   * Adds or removes a billed interval of a cluster.
   * @param until infinite while the cluster is still billed.
   * @throws RangeError if an edge is not one of `edges`.
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

  /** The usage. It is the same object until something changes. */
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
      if (Number(this.#edges[middle]) < at) low = middle + 1;
      else high = middle;
    }
    if (this.#edges[low] !== at) throw new RangeError(`${at} is not one of the edges`);
    return low;
  }
}
