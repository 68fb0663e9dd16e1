import type { BillingFact, Cause } from './billing-fact.ts';

/** A stretch of time, half-open, in ms since the epoch. Either end may be infinite. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Billed time of one cluster, to one account and as one cluster type. `to` is infinite while it is still billed. */
export interface BilledSpan extends Span {
  readonly accountId: string;
  /** `null` if no fact says a type. */
  readonly clusterType: string | null;
}

/** A stretch of time in which something has one value. */
interface Stretch<V> extends Span {
  readonly value: V;
}

const CAUSES: readonly Cause[] = ['unreachable', 'missing', 'manual'];

/**
 * Returns when a cluster is billed, to whom and as what, as known at position `w`: docs/billing-rules.md, "When a cluster is
 * billed". Every condition of the rule is a list of stretches of time. The billed time is what all of them have in common.
 * @param facts all facts of the cluster, in the order of the log.
 * @returns disjoint spans in order; two that touch differ in account or type.
 */
export function billedAt(facts: readonly BillingFact[], w: number): BilledSpan[] {
  const F = countingAt(facts, w);
  const R = earliest(F, 'registered');
  const D = earliest(F, 'deleted') ?? Number.POSITIVE_INFINITY;
  if (R === undefined) return [];
  let billed: Span[] = [{ from: R, to: D }];
  for (const cause of CAUSES)
    billed = common(billed, without(stretches(stops(F, cause), false), true), nothing);
  const billable = stretches(
    latest(F, ({ billable }) => billable),
    true,
  );
  billed = common(billed, without(billable, false), nothing);
  const accounts = stretches<string | undefined>(
    latest(F, ({ accountId }) => accountId),
    undefined,
  );
  const types = stretches<string | null>(
    latest(F, ({ clusterType }) => clusterType),
    null,
  );
  const owned = common(billed, accounts, (_, { value: accountId }) => ({ accountId }));
  return joined(
    common(owned, types, ({ accountId }, { value: clusterType }) => ({ accountId, clusterType })).flatMap(
      ({ accountId, ...span }) => (accountId === undefined ? [] : [{ accountId, ...span }]),
    ),
  );
}

/** "`F`: the facts of one cluster known at a position `w`, less the voided ones." */
function countingAt(facts: readonly BillingFact[], w: number): BillingFact[] {
  const known = facts.filter(({ position }) => position <= w);
  const voided = new Set(known.map(({ voids }) => voids));
  return known.filter(({ eventId }) => !voided.has(eventId));
}

function earliest(F: readonly BillingFact[], type: BillingFact['type']): number | undefined {
  let first: number | undefined;
  for (const fact of F) if (fact.type === type && (first === undefined || fact.at < first)) first = fact.at;
  return first;
}

/** Returns what the facts say of an attribute, by instant: "at equal times the fact with the greater event id". */
function latest<V>(
  F: readonly BillingFact[],
  attribute: (fact: BillingFact) => V | undefined,
): Map<number, V> {
  const sayers = new Map<number, BillingFact>();
  for (const fact of F) {
    const sayer = sayers.get(fact.at);
    if (attribute(fact) !== undefined && (sayer === undefined || sayer.eventId < fact.eventId))
      sayers.set(fact.at, fact);
  }
  return new Map(Array.from(sayers, ([at, fact]) => [at, attribute(fact) as V]));
}

/** Returns, by instant, whether a cause stops billing from then on: "at equal times the stop wins". */
function stops(F: readonly BillingFact[], cause: Cause): Map<number, boolean> {
  const said = new Map<number, boolean>();
  for (const fact of F)
    if (fact.cause === cause) said.set(fact.at, fact.type === 'stopped' || said.get(fact.at) === true);
  return said;
}

/** Returns the values over all time. @param initial value before the first instant. */
function stretches<V>(said: ReadonlyMap<number, V>, initial: V): Stretch<V>[] {
  const inOrder = [...said].sort(([a], [b]) => a - b);
  const all: [number, V][] = [[Number.NEGATIVE_INFINITY, initial], ...inOrder];
  return all.map(([from, value], i) => ({ from, to: all[i + 1]?.[0] ?? Number.POSITIVE_INFINITY, value }));
}

function without<V>(all: readonly Stretch<V>[], value: V): Stretch<V>[] {
  return all.filter((stretch) => stretch.value !== value);
}

/** Returns the time that two lists of disjoint spans, each in order, have in common. @param join makes the rest of a span. */
function common<A extends Span, B extends Span, T>(
  ones: readonly A[],
  others: readonly B[],
  join: (one: A, other: B) => T,
): (Span & T)[] {
  const result: (Span & T)[] = [];
  let i = 0;
  let j = 0;
  while (i < ones.length && j < others.length) {
    const [one, other] = [ones[i] as A, others[j] as B];
    const span = { from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) };
    if (span.from < span.to) result.push({ ...span, ...join(one, other) });
    if (one.to < other.to) i++;
    else j++;
  }
  return result;
}

const nothing = () => ({});

/** Joins spans that touch and are of one account and type. */
function joined(spans: readonly BilledSpan[]): BilledSpan[] {
  const result: BilledSpan[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last?.to === span.from && isAlike(last, span)) result[result.length - 1] = { ...last, to: span.to };
    else result.push(span);
  }
  return result;
}

function isAlike(a: BilledSpan, b: BilledSpan): boolean {
  return a.accountId === b.accountId && a.clusterType === b.clusterType;
}

/** Returns the parts of spans within a window. */
export function clip<S extends Span>(spans: readonly S[], from: number, to: number): S[] {
  return spans
    .filter((span) => span.from < to && span.to > from && from < to)
    .map((span) => ({ ...span, from: Math.max(span.from, from), to: Math.min(span.to, to) }));
}

/** Returns whether two lists of spans are different within a window: other times, another account or another type. */
export function differsWithin(
  was: readonly BilledSpan[],
  is: readonly BilledSpan[],
  from: number,
  to: number,
): boolean {
  const [before, after] = [clip(was, from, to), clip(is, from, to)];
  if (before.length !== after.length) return true;
  return before.some((span, i) => {
    const other = after[i] as BilledSpan;
    return span.from !== other.from || span.to !== other.to || !isAlike(span, other);
  });
}
