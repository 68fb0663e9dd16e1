import { type ClusterBilling, valueAt } from '../../domain/billing/billing.ts';
import type { AttributeValues, GroupBy } from '../../domain/billing/group.ts';
import { type Details, detailsAt } from '../../domain/facts/details.ts';
import { BILLING_ATTRIBUTES, type ClusterAttributes, type Fact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import { BoundedMap } from '../../util/bounded-map.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { ClusterNumber } from './interned-numbers.ts';
import { NumericColumn } from './numeric-column.ts';
import type { StringInterner } from './string-interner.ts';

/** Maximum number of different attributes of which equal ones are found. */
const MAX_COMPARED = 1_000;

/** The attributes that many clusters have in common. */
type SharedDetails = Omit<Details, 'name'>;

/**
 * The attributes of clusters over time. Those that billing does not read are kept here, by position of the fact that sets them.
 * Most clusters differ in their names only, so facts that say the same otherwise share one object.
 */
export class ClusterDetails {
  /** The facts that say any of these attributes, in the order of the log. The lists below have an entry for each. */
  readonly #positions = new NumericColumn<Uint32Array, Position>(Uint32Array);
  readonly #names: (string | undefined)[] = [];
  readonly #shared: SharedDetails[] = [];
  /** By their JSON. */
  readonly #compared = new BoundedMap<string, SharedDetails>(MAX_COMPARED);

  readonly #ids: StringInterner<ClusterNumber>;

  /** @param ids of the clusters: a name that equals one is not kept twice. @param parts of a snapshot. */
  constructor(
    ids: StringInterner<ClusterNumber>,
    { said, shared }: ClusterDetails['parts'] = { said: [], shared: [] },
  ) {
    this.#ids = ids;
    for (const details of shared) this.#compared.set(JSON.stringify(details), details);
    for (const [position, index, name] of said) this.#add(position, name, shared[index] as SharedDetails);
  }

  /** Keeps what a fact says, if it says any attribute that billing does not read. */
  note(position: Position, fact: Extract<Fact, { type: 'ClusterRegistered' | 'ClusterChanged' }>): void {
    const { type: _, clusterId: __, effectiveAt: ___, accountId, clusterType, billable, ...details } = fact;
    const { name, ...shared } = details;
    if (Object.keys(details).length > 0) this.#add(position, name, this.#knownOrNew(shared));
  }

  #add(position: Position, name: string | undefined, shared: SharedDetails): void {
    this.#positions.push(position);
    this.#names.push(name === undefined ? undefined : this.#ids.keptOr(name));
    this.#shared.push(shared);
  }

  #knownOrNew(details: SharedDetails): SharedDetails {
    const json = JSON.stringify(details);
    const known = this.#compared.get(json);
    if (known === undefined) this.#compared.set(json, details);
    return known ?? details;
  }

  /** Returns the index of the entry of a fact; `undefined` if it says none of these attributes. */
  #indexOf(position: Position): number | undefined {
    const index = this.#positions.firstAtLeast(position);
    return this.#positions.at(index) === position ? index : undefined;
  }

  #saidBy(position: Position): Details | undefined {
    const index = this.#indexOf(position);
    if (index === undefined) return undefined;
    const [name, shared] = [this.#names[index], this.#shared[index]];
    return name === undefined ? shared : { ...shared, name };
  }

  /** Returns the attributes of a registered cluster at an instant, or at its registration if that is later. */
  at({ registration, described, attributes }: ClusterBilling, at: Instant): ClusterAttributes {
    const until = Math.max(at, registration?.fact.effectiveAt ?? at);
    const found: Record<string, unknown> = detailsAt(described, until, (order) => this.#saidBy(order));
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
      const index = this.#indexOf(order);
      const details = index === undefined ? {} : (this.#shared[index] as SharedDetails);
      const value = typeof groupBy === 'string' ? details[groupBy] : labelIn(details, groupBy.label);
      if (value === undefined) continue;
      if (values.at(-1)?.at === at) values.pop();
      values.push({ at, value });
    }
    return values;
  }

  /** All of them, for a snapshot: what each fact says, and the different attributes in the order of the facts. */
  get parts() {
    const shared = new DistinctDetails();
    const said = Array.from(this.#shared, (details, i): [Position, index: number, name?: string] => {
      const name = this.#names[i];
      const place = [this.#positions.at(i), shared.indexOf(details)] as const;
      return name === undefined ? [...place] : [...place, name];
    });
    return { said, shared: shared.all };
  }
}

/** Numbers different attributes, whether or not equal ones are one object: that depends on when the process started. */
class DistinctDetails {
  readonly all: SharedDetails[] = [];
  readonly #byObject = new Map<SharedDetails, number>();
  readonly #byJson = new Map<string, number>();

  indexOf(details: SharedDetails): number {
    let index = this.#byObject.get(details);
    if (index === undefined) {
      const json = JSON.stringify(details);
      index = this.#byJson.get(json) ?? this.all.push(details) - 1;
      this.#byJson.set(json, index);
      this.#byObject.set(details, index);
    }
    return index;
  }
}

/** Returns the value of a label; `null` if there are labels without it, `undefined` if there are no labels. */
function labelIn({ labels }: SharedDetails, label: string): string | null | undefined {
  if (labels === undefined) return undefined;
  return Object.hasOwn(labels, label) ? (labels[label] as string) : null;
}
