import {
  type BillingAttribute,
  CAUSES,
  type Cause,
  type ClusterAttributes,
  type KnownFact,
} from '../facts/fact.ts';
import type { Instant } from '../time.ts';
import {
  ACCOUNT,
  BILLABLE,
  BillingState,
  compareChanges,
  DELETED,
  REGISTERED,
  RESUMES,
  STOPS,
  type StateChange,
  sweep,
  TYPE,
} from './sweep.ts';

/** The part of a fact that billing reads; every `Fact` is one. */
export type BillingFact =
  | ({ readonly type: 'ClusterRegistered'; readonly effectiveAt: Instant } & BillingAttributes & {
        readonly accountId: string;
      })
  | ({ readonly type: 'ClusterChanged'; readonly effectiveAt: Instant } & BillingAttributes)
  | { readonly type: 'ClusterDeleted'; readonly effectiveAt: Instant }
  | {
      readonly type: 'BillingStopped' | 'BillingResumed';
      readonly effectiveAt: Instant;
      readonly cause: Cause | 'deleted';
    }
  | { readonly type: 'FactVoided'; readonly effectiveAt: Instant; readonly voids: string }
  | {
      readonly type:
        | 'ClusterDeletionRequested'
        | 'ClusterDeletionConfirmed'
        | 'ClusterDeletionCancelled'
        | 'ClusterDeletionFailed'
        | 'ClusterUnreachable'
        | 'ClusterReachable';
      readonly effectiveAt: Instant;
    };

type BillingAttributes = Pick<ClusterAttributes, BillingAttribute>;
type Registered = Extract<BillingFact, { type: 'ClusterRegistered' }>;
type Described = Extract<BillingFact, { type: 'ClusterRegistered' | 'ClusterChanged' }>;
type Deleted = Extract<BillingFact, { type: 'ClusterDeleted' }>;
type Switched = Extract<BillingFact, { cause: string }> & { readonly cause: Cause };

/**
 * Billed time of one cluster, half-open, to one account and as one cluster type. `openedBy` and `closedBy` are the orders of
 * facts among the facts that were given to the fold.
 */
export interface Interval {
  readonly from: Instant;
  /** `null` while the cluster is still billed in this way. */
  readonly to: Instant | null;
  readonly accountId: string;
  /** `null` if no fact says a type. */
  readonly clusterType: string | null;
  /** The fact that opened the interval: a registration, a resumption or a change of an attribute. */
  readonly openedBy: number;
  /** The fact that closed the interval: a stop, a deletion or a change; `null` while it is open. */
  readonly closedBy: number | null;
}

/** From `at` on the attribute has this value, until the next entry of the timeline. */
export interface AttributeValue<V> {
  readonly at: Instant;
  readonly value: V;
  /** Order of the fact that says it. */
  readonly setBy: number;
}

/** The values of an attribute over time, in order; no two entries at one instant. */
export type Timeline<V> = readonly AttributeValue<V>[];

/** The values of the attributes that billing depends on, over time. */
export type Timelines = {
  readonly [X in BillingAttribute]: Timeline<NonNullable<BillingAttributes[X]>>;
};

/** From `at` on the cause stops billing, or no longer does. */
export interface Switch {
  readonly at: Instant;
  readonly cause: Cause;
  readonly stops: boolean;
  /** Order of the fact that set it. */
  readonly setBy: number;
}

/** The billing of one cluster. A cluster without an active registration is an orphan: never billed, always shown. */
export interface ClusterBilling {
  /** The active registration that is effective first; of equal ones the one with the greater event id. */
  readonly registration: KnownFact<Registered> | undefined;
  /** The active deletion that is effective first; of equal ones the one with the greater event id. */
  readonly deletion: KnownFact<Deleted> | undefined;
  /** Disjoint, in order, none empty; two that touch differ in account or type. */
  readonly intervals: readonly Interval[];
  readonly switches: Readonly<Record<Cause, readonly Switch[]>>;
  readonly attributes: Timelines;
  /** The active facts that say attributes, by effective time. */
  readonly described: readonly { readonly at: Instant; readonly order: number }[];
}

/**
 * Folds the facts of one cluster into its billing, by docs/billing-rules.md. The result is a function of the set of facts:
 * neither their order nor repeats of them matter.
 * @param facts all known facts of the cluster, in any order.
 */
export function billCluster(facts: readonly KnownFact<BillingFact>[]): ClusterBilling {
  return billActiveFacts(activeFactsOf(facts));
}

/**
 * Folds facts of which the voided ones have been left out.
 * @param active all facts of the cluster that are not voided, in any order.
 */
export function billActiveFacts(active: readonly KnownFact<BillingFact>[]): ClusterBilling {
  let registration: KnownFact<Registered> | undefined;
  let deletion: KnownFact<Deleted> | undefined;
  const described: KnownFact<Described>[] = [];
  const switched: Record<Cause, KnownFact<Switched>[]> = { unreachable: [], missing: [], manual: [] };
  for (const known of active) {
    if (isRegistered(known)) registration = earlier(registration, known);
    if (isDescribed(known)) described.push(known);
    else if (isDeleted(known)) deletion = earlier(deletion, known);
    else if (isSwitched(known)) switched[known.fact.cause].push(known);
  }
  const switches = {
    unreachable: switchesOf('unreachable', switched.unreachable),
    missing: switchesOf('missing', switched.missing),
    manual: switchesOf('manual', switched.manual),
  };
  described.sort(byTimeAndId);
  const attributes: Timelines = {
    accountId: timelineOf('accountId', described),
    clusterType: timelineOf('clusterType', described),
    billable: timelineOf('billable', described),
  };
  const intervals =
    registration === undefined ? [] : billedIntervals(registration, deletion, switches, attributes);
  return {
    registration,
    deletion,
    intervals,
    switches,
    attributes,
    described: described
      .filter(({ eventId }, i) => eventId !== described[i - 1]?.eventId)
      .map(({ fact, order }) => ({ at: fact.effectiveAt, order })),
  };
}

/** Returns the facts that are not voided. Voids themselves stay among them, since a void cannot be voided. */
export function activeFactsOf<F extends BillingFact>(
  facts: readonly KnownFact<F>[],
): readonly KnownFact<F>[] {
  const voided = new Set<string>();
  for (const { fact } of facts) if (fact.type === 'FactVoided') voided.add(fact.voids);
  return voided.size === 0 ? facts : facts.filter(({ eventId }) => !voided.has(eventId));
}

const isRegistered = (known: KnownFact<BillingFact>): known is KnownFact<Registered> =>
  known.fact.type === 'ClusterRegistered';
const isDescribed = (known: KnownFact<BillingFact>): known is KnownFact<Described> =>
  known.fact.type === 'ClusterRegistered' || known.fact.type === 'ClusterChanged';
const isDeleted = (known: KnownFact<BillingFact>): known is KnownFact<Deleted> =>
  known.fact.type === 'ClusterDeleted';
/** Excludes the notices that come with a deletion: they switch nothing. */
const isSwitched = (known: KnownFact<BillingFact>): known is KnownFact<Switched> =>
  'cause' in known.fact && known.fact.cause !== 'deleted';

/** Compares by effective time, then by event id, so that the order of arrival decides nothing. */
function byTimeAndId(a: KnownFact<BillingFact>, b: KnownFact<BillingFact>): number {
  return a.fact.effectiveAt - b.fact.effectiveAt || (a.eventId < b.eventId ? -1 : 1);
}

function earlier<F extends BillingFact>(a: KnownFact<F> | undefined, b: KnownFact<F>): KnownFact<F> {
  if (a === undefined) return b;
  const later = b.fact.effectiveAt - a.fact.effectiveAt || (b.eventId > a.eventId ? -1 : 1);
  return later < 0 ? b : a;
}

/** Returns the values of an attribute over time. @param described in order of time and id. */
function timelineOf<X extends BillingAttribute>(
  attribute: X,
  described: readonly KnownFact<Described>[],
): Timeline<NonNullable<BillingAttributes[X]>> {
  const values: AttributeValue<NonNullable<BillingAttributes[X]>>[] = [];
  for (const { fact, order } of described) {
    const value = (fact as BillingAttributes)[attribute];
    if (value === undefined) continue;
    if (values.at(-1)?.at === fact.effectiveAt) values.pop();
    values.push({ at: fact.effectiveAt, value: value as NonNullable<BillingAttributes[X]>, setBy: order });
  }
  return values;
}

/** Returns the value of an attribute at an instant; `undefined` if no fact says one by then. */
export function valueAt<V>(timeline: Timeline<V>, at: Instant): V | undefined {
  return timeline.findLast((entry) => entry.at <= at)?.value;
}

/** Returns the instants at which a cause begins or ceases to stop billing, in order; at equal times the stop wins. */
function switchesOf(cause: Cause, facts: KnownFact<Switched>[]): readonly Switch[] {
  facts.sort(
    (a, b) => a.fact.effectiveAt - b.fact.effectiveAt || stopsFirst(a, b) || (a.eventId > b.eventId ? -1 : 1),
  );
  const switches: Switch[] = [];
  let decidedAt: Instant | undefined;
  let stops = false;
  for (const { fact, order } of facts) {
    if (fact.effectiveAt === decidedAt) continue;
    decidedAt = fact.effectiveAt;
    if (stops === (fact.type === 'BillingStopped')) continue;
    stops = !stops;
    switches.push({ at: fact.effectiveAt, cause, stops, setBy: order });
  }
  return switches;
}

const stopsFirst = (a: KnownFact<Switched>, b: KnownFact<Switched>) =>
  Number(a.fact.type === 'BillingResumed') - Number(b.fact.type === 'BillingResumed');

function billedIntervals(
  registration: KnownFact<Registered>,
  deletion: KnownFact<Deleted> | undefined,
  switches: ClusterBilling['switches'],
  attributes: Timelines,
): Interval[] {
  const at = registration.fact.effectiveAt;
  const changes: StateChange<string>[] = [{ at, setBy: registration.order, kind: REGISTERED }];
  if (deletion !== undefined)
    changes.push({ at: deletion.fact.effectiveAt, setBy: deletion.order, kind: DELETED });
  for (const { at, setBy, value } of attributes.accountId)
    changes.push({ at, setBy, kind: ACCOUNT, id: value });
  for (const { at, setBy, value } of attributes.clusterType)
    changes.push({ at, setBy, kind: TYPE, id: value });
  for (const { at, setBy, value } of attributes.billable)
    changes.push({ at, setBy, kind: BILLABLE, billable: value });
  for (const [index, cause] of CAUSES.entries())
    for (const { at, setBy, stops } of switches[cause])
      changes.push({ at, setBy, kind: stops ? STOPS : RESUMES, cause: index });
  changes.sort(compareChanges);
  return sweep(new BillingState<string>(), undefined, changes).map(
    ({ from, to, account, type, openedBy, closedBy }) => ({
      from,
      to: to === Number.POSITIVE_INFINITY ? null : to,
      accountId: account,
      clusterType: type,
      openedBy,
      closedBy: closedBy === Number.POSITIVE_INFINITY ? null : closedBy,
    }),
  );
}

/** Returns whether the cluster is billed at `at`. */
export function isBilledAt(intervals: readonly Interval[], at: Instant): boolean {
  return intervals.some(({ from, to }) => from <= at && (to === null || at < to));
}

/** Returns the causes that stop billing at `at`, whether or not the cluster would be billed without them. */
export function causesStopping(switches: ClusterBilling['switches'], at: Instant): Cause[] {
  return CAUSES.filter((cause) => switches[cause].findLast((change) => change.at <= at)?.stops === true);
}

/**
 * Returns the account that owns the cluster at an instant, or at its registration if the instant is before that;
 * `undefined` for an orphan.
 */
export function ownerAt({ registration, attributes }: ClusterBilling, at: Instant): string | undefined {
  if (registration === undefined) return undefined;
  return valueAt(attributes.accountId, Math.max(at, registration.fact.effectiveAt));
}
