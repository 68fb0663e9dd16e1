import { type BilledSpan, clip, type Span } from './billed.ts';

/** docs/billing-rules.md, "Usage". */
export interface Usage {
  readonly billableClusters: number;
  readonly clusterSeconds: string;
  readonly peakClusters: number;
  readonly clustersAtStart: number;
  readonly clustersAtEnd: number;
  readonly averageClusters: string;
}

/** The usage of one cluster type; `null` if no fact says a type. */
export interface TypeUsage extends Usage {
  readonly clusterType: string | null;
}

/** Usage, whole and of each type that was billed, in order of the types. */
export interface Breakdown {
  readonly usage: Usage;
  readonly byType: readonly TypeUsage[];
}

/** The two measures that add up, signed. */
export interface Amounts {
  readonly billableClusters: number;
  readonly clusterSeconds: string;
}

/**
 * Returns the usage in `[from, to)`.
 * @param clusters the time that each cluster is billed to the account.
 */
export function measure(clusters: readonly (readonly BilledSpan[])[], from: number, to: number): Breakdown {
  const clipped = clusters.map((spans) => clip(spans, from, to));
  const byType = typesIn(clipped.flat()).map((clusterType) => {
    const own = clipped.map((spans) => spans.filter((span) => span.clusterType === clusterType));
    return { clusterType, ...usageOf(own, from, to) };
  });
  return { usage: usageOf(clipped, from, to), byType };
}

/** Returns the usage of nothing in `[from, to)`. */
export function noUsage(from: number, to: number): Usage {
  return usageOf([], from, to);
}

/** Returns each type of a list once, in order of their code units; `null` comes first. */
export function typesIn(list: readonly { readonly clusterType: string | null }[]): (string | null)[] {
  const types = new Set(list.map(({ clusterType }) => clusterType));
  const named = [...types].filter((type) => type !== null);
  return [...(types.has(null) ? [null] : []), ...named.sort()];
}

/** @param clusters billed time of each cluster within `[from, to)`. */
function usageOf(clusters: readonly (readonly Span[])[], from: number, to: number): Usage {
  const billed = clusters.flat();
  const milliseconds = billed.reduce((sum, span) => sum + BigInt(span.to - span.from), 0n);
  return {
    billableClusters: clusters.filter((spans) => spans.length > 0).length,
    clusterSeconds: decimal(milliseconds, 3),
    peakClusters: peak(billed),
    clustersAtStart: billed.filter((span) => span.from === from).length,
    clustersAtEnd: billed.filter((span) => span.to === to).length,
    averageClusters:
      from < to ? decimal(halfToEven(milliseconds * 1_000_000n, BigInt(to - from)), 6) : '0.000000',
  };
}

/** Returns the most spans at one instant. A span that ends at an instant makes room for one that begins then. */
function peak(spans: readonly Span[]): number {
  const points = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  points.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of points) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** Returns the sum of amounts. */
export function sumOf(amounts: readonly Amounts[]): Amounts {
  return {
    billableClusters: amounts.reduce((sum, each) => sum + each.billableClusters, 0),
    clusterSeconds: decimal(
      amounts.reduce((sum, each) => sum + thousandths(each.clusterSeconds), 0n),
      3,
    ),
  };
}

/** Returns the amounts that have to be added to `before` to get `after`. */
export function difference(before: Amounts, after: Amounts): Amounts {
  return {
    billableClusters: after.billableClusters - before.billableClusters,
    clusterSeconds: decimal(thousandths(after.clusterSeconds) - thousandths(before.clusterSeconds), 3),
  };
}

/** Reads a number that `decimal` wrote with 3 places. */
function thousandths(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

function decimal(value: bigint, places: number): string {
  if (value < 0n) return `-${decimal(-value, places)}`;
  const digits = value.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Returns the nearest integer; of two that are equally near, the even one. */
function halfToEven(numerator: bigint, denominator: bigint): bigint {
  const below = numerator / denominator;
  const twice = 2n * (numerator - below * denominator);
  if (twice < denominator) return below;
  if (twice > denominator) return below + 1n;
  return below % 2n === 0n ? below : below + 1n;
}
