import type { Instant, Window } from '../time.ts';
import { compareTypes, meterOf, type Usage } from './usage.ts';

/** Attribute that usage is grouped by: a field of the cluster, or one of its labels. */
export type GroupBy = 'region' | 'cloudProvider' | 'clusterType' | { readonly label: string };

/** The usage of the clusters with one value of an attribute; `null` if no fact says a value. */
export interface GroupUsage extends Usage {
  readonly value: string | null;
}

/** Billed time with one value of the attribute. */
export interface GroupedInterval {
  readonly from: Instant;
  readonly to: Instant | null;
  readonly value: string | null;
}

/** Values of an attribute over time, in order; each applies until the next. */
export type AttributeValues = readonly { readonly at: Instant; readonly value: string | null }[];

/** Cuts billed intervals at the instants at which the value of an attribute changes. */
export function groupedIntervals(
  intervals: readonly { readonly from: Instant; readonly to: Instant | null }[],
  values: AttributeValues,
): GroupedInterval[] {
  return intervals.flatMap(({ from, to }) => {
    const end = to ?? Number.POSITIVE_INFINITY;
    const changes = values.filter(({ at }) => from < at && at < end);
    const first = { at: from, value: values.findLast(({ at }) => at <= from)?.value ?? null };
    return [first, ...changes].map(({ at, value }, i) => ({ from: at, to: changes[i]?.at ?? to, value }));
  });
}

/**
 * Returns the usage of each value of an attribute that was billed in the window, in order of the values, `null` first. A cluster
 * whose value changes counts in each of its values, so their seconds add up to the whole and their counts may not.
 * @param clusters the grouped intervals of each cluster. @param counted the window, already clipped (`clippedWindow`).
 */
export function usageByGroup(clusters: Iterable<readonly GroupedInterval[]>, counted: Window): GroupUsage[] {
  return meterOf(clusters, ({ value }) => value, counted)
    .groups.map(([value, usage]) => ({ value, ...usage }))
    .sort((a, b) => compareTypes(a.value, b.value));
}
