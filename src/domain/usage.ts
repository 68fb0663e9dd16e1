import type { Interval } from './cluster.ts';
import { ExactSum, formatAverage, formatSeconds, type Milliseconds } from './quantity.ts';
import type { Instant, Window } from './time.ts';

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
export function countedWindow(window: Window, through: Instant): Window {
  return { from: window.from, to: Math.max(window.from, Math.min(window.to, through)) };
}

/**
 * The usage of one account.
 * @param clusters the billed intervals of each of its clusters.
 * @param counted the window, already cut at the instant asked about (`countedWindow`).
 */
export function usageOf(clusters: Iterable<readonly Interval[]>, counted: Window): Usage {
  return usageFrom(measure(clusters, counted), counted);
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

function measure(clusters: Iterable<readonly Interval[]>, { from, to }: Window): Measures {
  const sum = new ExactSum();
  const starts: Instant[] = [];
  const ends: Instant[] = [];
  const measures = { billableClusters: 0, billed: 0n, peakClusters: 0, clustersAtStart: 0, clustersAtEnd: 0 };
  for (const intervals of clusters) {
    let counts = false;
    for (const interval of intervals) {
      const start = Math.max(interval.from, from);
      const end = interval.to === null ? to : Math.min(interval.to, to);
      if (start >= end) continue;
      counts = true;
      sum.add(end - start);
      if (start === from) measures.clustersAtStart++;
      else starts.push(start);
      if (end === to) measures.clustersAtEnd++;
      else ends.push(end);
    }
    if (counts) measures.billableClusters++;
  }
  measures.billed = sum.total;
  measures.peakClusters = peak(measures.clustersAtStart, starts, ends);
  return measures;
}

/** The most clusters at one instant. Intervals are half-open: at equal times what ends makes room for what starts. */
function peak(atStart: number, starts: Instant[], ends: Instant[]): number {
  if (starts.length === 0) return atStart;
  starts.sort((a, b) => a - b);
  ends.sort((a, b) => a - b);
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
