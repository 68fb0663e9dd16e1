import { CAUSES, type Cause, type KnownFact, type OrderedFact } from '../facts/fact.ts';
import type { Instant } from '../time.ts';

/** What billing needs of a fact; every `Fact` is one. */
export type BillingFact =
  | {
      readonly type: 'ClusterRegistered';
      readonly effectiveAt: Instant;
      readonly accountId: string;
      readonly billable: boolean;
    }
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

type Registered = Extract<BillingFact, { type: 'ClusterRegistered' }>;
type Deleted = Extract<BillingFact, { type: 'ClusterDeleted' }>;
type Switched = Extract<BillingFact, { cause: string }> & { readonly cause: Cause };

/** Billed time of one cluster, half-open; `to` is `null` while it is still billed. */
export interface Interval {
  readonly from: Instant;
  readonly to: Instant | null;
  /** Order of the fact that opened it, a registration or a resumption. */
  readonly openedBy: number;
  /** Order of the fact that closed it, a stop or a deletion; `null` while it is still billed. */
  readonly closedBy: number | null;
}

/** What the facts of one cluster say. A cluster without a registration is an orphan: never billed, always shown. */
export interface ClusterBilling {
  /** The registration that counts: the earliest effective; of equal ones the first recorded. */
  readonly registration: OrderedFact<Registered> | undefined;
  /** The deletion that counts: the earliest effective; of equal ones the first recorded. */
  readonly deletion: OrderedFact<Deleted> | undefined;
  /** Disjoint, in order, none empty, none touching the next. */
  readonly intervals: readonly Interval[];
  readonly switches: Readonly<Record<Cause, readonly Switch[]>>;
}

/** From `at` on the cause holds billing, or no longer does. */
export interface Switch {
  readonly at: Instant;
  readonly cause: Cause;
  readonly stops: boolean;
  /** Order of the fact that set it. */
  readonly setBy: number;
}

/**
 * Folds the facts of one cluster into what is billed, by docs/billing-rules.md: a function of the set of facts, so that
 * neither their order nor repeats of them matter.
 * @param facts all known facts of the cluster, in any order.
 */
export function billCluster(facts: readonly KnownFact<BillingFact>[]): ClusterBilling {
  return billActiveFacts(activeFactsOf(facts));
}

/**
 * The same of facts of which the voided ones have been left out.
 * @param counting all facts of the cluster that count, in any order.
 */
export function billActiveFacts(counting: readonly OrderedFact<BillingFact>[]): ClusterBilling {
  let registration: OrderedFact<Registered> | undefined;
  let deletion: OrderedFact<Deleted> | undefined;
  const switched: Record<Cause, OrderedFact<Switched>[]> = { unreachable: [], manual: [] };
  for (const known of counting) {
    if (isRegistered(known)) registration = earlier(registration, known);
    else if (isDeleted(known)) deletion = earlier(deletion, known);
    else if (isSwitched(known)) switched[known.fact.cause].push(known);
  }
  const switches = {
    unreachable: switchesOf('unreachable', switched.unreachable),
    manual: switchesOf('manual', switched.manual),
  };
  const intervals = registration === undefined ? [] : billedIntervals(registration, deletion, switches);
  return { registration, deletion, intervals, switches };
}

/** Returns the facts that are not voided. Voids themselves stay among them, since a void cannot be voided. */
export function activeFactsOf<F extends BillingFact>(
  facts: readonly KnownFact<F>[],
): readonly KnownFact<F>[] {
  const voided = new Set<string>();
  for (const { fact } of facts) if (fact.type === 'FactVoided') voided.add(fact.voids);
  return voided.size === 0 ? facts : facts.filter(({ eventId }) => !voided.has(eventId));
}

const isRegistered = (known: OrderedFact<BillingFact>): known is OrderedFact<Registered> =>
  known.fact.type === 'ClusterRegistered';
const isDeleted = (known: OrderedFact<BillingFact>): known is OrderedFact<Deleted> =>
  known.fact.type === 'ClusterDeleted';
/** Not the notices that come with a deletion: they are no switch. */
const isSwitched = (known: OrderedFact<BillingFact>): known is OrderedFact<Switched> =>
  'cause' in known.fact && known.fact.cause !== 'deleted';

/** The one that took effect first; of equal ones the first recorded. */
function earlier<F extends BillingFact>(a: OrderedFact<F> | undefined, b: OrderedFact<F>): OrderedFact<F> {
  if (a === undefined) return b;
  const later = b.fact.effectiveAt - a.fact.effectiveAt || b.order - a.order;
  return later < 0 ? b : a;
}

/** The instants at which a cause changes its mind, in order; at equal times the stop wins. */
function switchesOf(cause: Cause, facts: OrderedFact<Switched>[]): readonly Switch[] {
  facts.sort((a, b) => a.fact.effectiveAt - b.fact.effectiveAt || stopsFirst(a, b) || a.order - b.order);
  const switches: Switch[] = [];
  let decidedAt: Instant | undefined;
  let holds = false;
  for (const { fact, order } of facts) {
    if (fact.effectiveAt === decidedAt) continue;
    decidedAt = fact.effectiveAt;
    if (holds === (fact.type === 'BillingStopped')) continue;
    holds = !holds;
    switches.push({ at: fact.effectiveAt, cause, stops: holds, setBy: order });
  }
  return switches;
}

const stopsFirst = (a: OrderedFact<Switched>, b: OrderedFact<Switched>) =>
  Number(a.fact.type === 'BillingResumed') - Number(b.fact.type === 'BillingResumed');

function billedIntervals(
  registration: OrderedFact<Registered>,
  deletion: OrderedFact<Deleted> | undefined,
  switches: Readonly<Record<Cause, readonly Switch[]>>,
): Interval[] {
  const start = registration.fact.effectiveAt;
  const end = deletion?.fact.effectiveAt ?? Number.POSITIVE_INFINITY;
  if (!registration.fact.billable || end <= start) return [];
  const intervals: Interval[] = [];
  let activeCauses = causesStopping(switches, start).length;
  let open = activeCauses === 0 ? { from: start, openedBy: registration.order } : undefined;
  for (const { at, stops, setBy } of changesBetween(start, end, switches)) {
    activeCauses += stops ? 1 : -1;
    if (open !== undefined && activeCauses > 0) {
      intervals.push({ ...open, to: at, closedBy: setBy });
      open = undefined;
    } else if (open === undefined && activeCauses === 0) {
      open = { from: at, openedBy: setBy };
    }
  }
  if (open !== undefined) {
    intervals.push({ ...open, to: deletion?.fact.effectiveAt ?? null, closedBy: deletion?.order ?? null });
  }
  return intervals;
}

/**
 * The changes of all causes strictly between two instants, in order. At one instant the stops come first, so that billing
 * handed from one cause to the other is not billed for a moment in between.
 */
function changesBetween(start: Instant, end: Instant, switches: ClusterBilling['switches']): Switch[] {
  const isBetween = ({ at }: Switch) => start < at && at < end;
  const [one, other] = [switches.unreachable.filter(isBetween), switches.manual.filter(isBetween)];
  if (one.length === 0) return other;
  return other.length === 0
    ? one
    : [...one, ...other].sort((a, b) => a.at - b.at || Number(b.stops) - Number(a.stops));
}

/** Whether the cluster is billed at `at`. */
export function isBilledAt(intervals: readonly Interval[], at: Instant): boolean {
  return intervals.some(({ from, to }) => from <= at && (to === null || at < to));
}

/** The causes that hold billing at `at`, whether or not the cluster would be billed without them. */
export function causesStopping(switches: ClusterBilling['switches'], at: Instant): Cause[] {
  return CAUSES.filter((cause) => switches[cause].findLast((change) => change.at <= at)?.stops === true);
}
