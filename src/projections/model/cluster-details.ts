import { type ClusterBilling, valueAt } from '../../domain/billing/billing.ts';
import type { AttributeValues, GroupBy } from '../../domain/billing/group.ts';
import { type Details, detailsAt } from '../../domain/facts/details.ts';
import { BILLING_ATTRIBUTES, type ClusterAttributes, type Fact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';

/** The attributes of clusters over time. Those that billing does not read are kept here, by position of the fact that sets them. */
export class ClusterDetails {
  readonly #details: Map<Position, Details>;

  constructor(details: Iterable<readonly [Position, Details]> = []) {
    this.#details = new Map(details);
  }

  /** Keeps what a fact says, if it says any attribute that billing does not read. */
  note(position: Position, fact: Extract<Fact, { type: 'ClusterRegistered' | 'ClusterChanged' }>): void {
    const { type: _, clusterId: __, effectiveAt: ___, accountId, clusterType, billable, ...details } = fact;
    if (Object.keys(details).length > 0) this.#details.set(position, details);
  }

  /** Returns the attributes of a registered cluster at an instant, or at its registration if that is later. */
  at({ registration, described, attributes }: ClusterBilling, at: Instant): ClusterAttributes {
    const until = Math.max(at, registration?.fact.effectiveAt ?? at);
    const found: Record<string, unknown> = detailsAt(described, until, (order) => this.#details.get(order));
    for (const attribute of BILLING_ATTRIBUTES) {
      const value = valueAt<unknown>(attributes[attribute], until);
      if (value !== undefined) found[attribute] = value;
    }
    return found as ClusterAttributes;
  }

  /** Returns the values of an attribute that billing does not read over time. */
  valuesOf({ described }: ClusterBilling, groupBy: Exclude<GroupBy, 'clusterType'>): AttributeValues {
    const values: { at: Instant; value: string | null }[] = [];
    for (const { at, order } of described) {
      const details = this.#details.get(order) ?? {};
      const value = typeof groupBy === 'string' ? details[groupBy] : labelIn(details, groupBy.label);
      if (value === undefined) continue;
      if (values.at(-1)?.at === at) values.pop();
      values.push({ at, value });
    }
    return values;
  }

  /** All of them, for a snapshot. */
  get all(): [Position, Details][] {
    return [...this.#details];
  }
}

/** Returns the value of a label; `null` if there are labels without it, `undefined` if there are no labels. */
function labelIn({ labels }: Details, label: string): string | null | undefined {
  if (labels === undefined) return undefined;
  return Object.hasOwn(labels, label) ? (labels[label] as string) : null;
}
