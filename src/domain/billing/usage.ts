import type { Instant, Window } from '../time.ts';
import type { Interval } from './billing.ts';
import { ExactSum, formatAverage, formatSeconds, type Milliseconds } from './quantity.ts';

/** What an account used in a window, as docs/billing-rules.md defines each measure. */
export interface Usage {
  /** Clusters billed for more than 0 ms: the count that billing charges by. */
  readonly billableClusters: number;
  /** Billed time, seconds with 3 decimal places. */
  readonly clusterSeconds: string;
  readonly peakClusters: number;
  readonly clustersAtStart: number;
  readonly clustersAtEnd: number;
  /** Billed time over the length of the window so far, 6 decimal places, half to even. */
  readonly averageClusters: string;
}

/** The measures before they are written down. */
export interface Measures {
  billableClusters: number;
  billed: Milliseconds;
  peakClusters: number;
  clustersAtStart: number;
  clustersAtEnd: number;
}

/** The part of a window that is counted: up to `through`, and never past its end or before its start. */
export function clippedWindow(window: Window, through: Instant): Window {
  return { from: window.from, to: Math.max(window.from, Math.min(window.to, through)) };
}

/**
 * The usage of one account.
 * @param clusters the billed intervals of each of its clusters.
 * @param counted the window, already cut at the instant asked about (`countedWindow`).
 */
export function usageOf(clusters: Iterable<readonly Interval[]>, counted: Window): Usage {
  const meter = new UsageMeter(counted);
  for (const intervals of clusters) {
    for (const { from, to } of intervals) meter.add(from, to ?? Number.POSITIVE_INFINITY);
    meter.endCluster();
  }
  return meter.usage;
}

/** Writes measures of a window down. */
export function usageFrom(measures: Measures, counted: Window): Usage {
  return {
    billableClusters: measures.billableClusters,
    clusterSeconds: formatSeconds(measures.billed),
    peakClusters: measures.peakClusters,
    clustersAtStart: measures.clustersAtStart,
    clustersAtEnd: measures.clustersAtEnd,
    averageClusters: formatAverage(measures.billed, BigInt(counted.to - counted.from)),
  };
}

/** Measures the usage of an account, interval by interval and cluster by cluster. */
export class UsageMeter {
  readonly #counted: Window;
  readonly #from: Instant;
  readonly #to: Instant;
  readonly #billed = new ExactSum();
  /** When clusters begin and end to be billed, within the window and not at its edges. */
  readonly #starts: Instant[] = [];
  readonly #ends: Instant[] = [];
  #billableClusters = 0;
  #atStart = 0;
  #atEnd = 0;
  /** Whether anything of the cluster at hand counts. */
  #counts = false;

  /** @param counted the window, already cut at the instant asked about (`countedWindow`). */
  constructor(counted: Window) {
    this.#counted = counted;
    this.#from = counted.from;
    this.#to = counted.to;
  }

  /** Adds a billed interval of the cluster at hand. @param until infinite where it is still billed. */
  add(since: Instant, until: Instant): void {
    const start = since > this.#from ? since : this.#from;
    const end = until < this.#to ? until : this.#to;
    if (start >= end) return;
    this.#counts = true;
    this.#billed.add(end - start);
    if (start === this.#from) this.#atStart++;
    else this.#starts.push(start);
    if (end === this.#to) this.#atEnd++;
    else this.#ends.push(end);
  }

  /** The next interval is of another cluster. */
  endCluster(): void {
    if (this.#counts) this.#billableClusters++;
    this.#counts = false;
  }

  get usage(): Usage {
    return usageFrom(
      {
        billableClusters: this.#billableClusters,
        billed: this.#billed.total,
        peakClusters: peak(this.#atStart, this.#starts, this.#ends),
        clustersAtStart: this.#atStart,
        clustersAtEnd: this.#atEnd,
      },
      this.#counted,
    );
  }
}

/** The most clusters at one instant. Intervals are half-open: at equal times what ends makes room for what starts. */
function peak(atStart: number, unsortedStarts: readonly Instant[], unsortedEnds: readonly Instant[]): number {
  if (unsortedStarts.length === 0 || unsortedEnds.length === 0) return atStart + unsortedStarts.length;
  const starts = Float64Array.from(unsortedStarts).sort();
  const ends = Float64Array.from(unsortedEnds).sort();
  let billed = atStart;
  let most = atStart;
  let ended = 0;
  for (const start of starts) {
    while (ended < ends.length && (ends[ended] as Instant) <= start) {
      ended++;
      billed--;
    }
    most = Math.max(most, ++billed);
  }
  return most;
}
