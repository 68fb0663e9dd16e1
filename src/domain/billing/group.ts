import type { Instant } from '../time.ts';
import { compareTypes, type Usage } from './usage-meter.ts';

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

interface AttributeValue {
  readonly at: Instant;
  readonly value: string | null;
}

/** Values of an attribute over time, in order; each applies until the next. */
export type AttributeValues = readonly AttributeValue[];

/** Cuts billed intervals at the instants at which the value of an attribute changes. @param intervals disjoint and in order. */
export function groupedIntervals(
  intervals: readonly { readonly from: Instant; readonly to: Instant | null }[],
  values: AttributeValues,
): GroupedInterval[] {
  const cut: GroupedInterval[] = [];
  let next = 0;
  for (const interval of intervals) {
    const end = interval.to ?? Number.POSITIVE_INFINITY;
    let { from } = interval;
    while (next < values.length && (values[next] as AttributeValue).at <= from) next++;
    for (; next < values.length && (values[next] as AttributeValue).at < end; next++) {
      const { at } = values[next] as AttributeValue;
      cut.push({ from, to: at, value: values[next - 1]?.value ?? null });
      from = at;
    }
    cut.push({ from, to: interval.to, value: values[next - 1]?.value ?? null });
  }
  return cut;
}

/**
 * Returns the usage of each value of an attribute in order of the values, `null` first. A cluster whose value changes counts in
 * each of its values, so their seconds add up to the whole and their counts may not.
 */
export function groupsInOrder(
  groups: readonly (readonly [value: string | null, usage: Usage])[],
): GroupUsage[] {
  return groups.map(([value, usage]) => ({ value, ...usage })).sort((a, b) => compareTypes(a.value, b.value));
}
