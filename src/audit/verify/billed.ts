import type { BillingFact } from './billing-fact.ts';

/** Billed time, half-open, in ms since the epoch; `to` is infinite while it is still billed. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** When one cluster is billed, and to whom. */
export interface Billed {
  /** Account of the registration that counts; `undefined` where none does. */
  readonly owner: string | undefined;
  /** Disjoint, in order, none touching the next. */
  readonly spans: readonly Span[];
}

export const NEVER: Billed = { owner: undefined, spans: [] };

/**
 * When a cluster is billed, as known at position `w`: docs/billing-rules.md, "When a cluster is billed".
 * @param facts all facts of the cluster, in the order of the log.
 */
export function billedAt(facts: readonly BillingFact[], w: number): Billed {
  const F = countingAt(facts, w);
  const registration = earliest(F, 'registered');
  const owner = registration?.accountId;
  if (registration?.billable !== true) return { owner, spans: [] };
  const R = registration.at;
  const D = earliest(F, 'deleted')?.at ?? Number.POSITIVE_INFINITY;
  const said = { unreachable: sayings(F, 'unreachable'), manual: sayings(F, 'manual') };

  // Nothing changes but at the instants of facts.
  const instants = new Set([R, D, ...said.unreachable.keys(), ...said.manual.keys()]);
  const holds = { unreachable: false, manual: false };
  const spans: Span[] = [];
  let from: number | undefined;
  for (const t of [...instants].sort((a, b) => a - b)) {
    holds.unreachable = said.unreachable.get(t) ?? holds.unreachable;
    holds.manual = said.manual.get(t) ?? holds.manual;
    const isBilled = R <= t && t < D && !holds.unreachable && !holds.manual;
    if (isBilled && from === undefined) from = t;
    if (!isBilled && from !== undefined) {
      spans.push({ from, to: t });
      from = undefined;
    }
  }
  return { owner, spans };
}

/** "`F`: the facts of one cluster known at a position `w`, less the voided ones." */
function countingAt(facts: readonly BillingFact[], w: number): BillingFact[] {
  const known = facts.filter(({ position }) => position <= w);
  const voided = new Set(known.map(({ voids }) => voids));
  return known.filter(({ type, eventId }) => type !== 'voided' && !voided.has(eventId));
}

/** "The earliest `effectiveAt`; equal times: the lower position." */
function earliest(F: readonly BillingFact[], type: BillingFact['type']): BillingFact | undefined {
  let first: BillingFact | undefined;
  // In the order of the log, so that of equal ones the first stays.
  for (const fact of F) if (fact.type === type && (first === undefined || fact.at < first.at)) first = fact;
  return first;
}

/** What the stops and resumptions of a cause say at each of their instants: whether it holds billing. "The stop wins." */
function sayings(F: readonly BillingFact[], cause: string): Map<number, boolean> {
  const said = new Map<number, boolean>();
  for (const { type, at, cause: its } of F) {
    if (its === cause) said.set(at, type === 'stopped' || said.get(at) === true);
  }
  return said;
}

/** A fact that counts now and did not, or did and no longer does. */
interface CountedChange {
  /** The fact itself, or the first void of it. */
  readonly by: BillingFact;
  /** When the fact that counts, or did, is effective. */
  readonly at: number;
}

/** What changed of a cluster between two positions in what counts for the bill. */
export function changesBetween(facts: readonly BillingFact[], before: number, w: number): CountedChange[] {
  const known = facts.filter(({ position }) => position <= w);
  const voidOf = new Map<string, BillingFact>();
  for (const fact of known) {
    if (fact.voids !== undefined && !voidOf.has(fact.voids)) voidOf.set(fact.voids, fact);
  }
  return known.filter(matters).flatMap((fact): CountedChange[] => {
    const itsVoid = voidOf.get(fact.eventId);
    const counted = fact.position <= before && (itsVoid === undefined || itsVoid.position > before);
    const counts = itsVoid === undefined;
    return counted === counts ? [] : [{ by: itsVoid ?? fact, at: fact.at }];
  });
}

/** Whether a fact can change a bill by itself: a void does so through what it voids, a notice of a deletion never does. */
function matters({ type, cause }: BillingFact): boolean {
  return type !== 'other' && type !== 'voided' && cause !== 'deleted';
}

/** Billed time within a window. */
export function clip(spans: readonly Span[], from: number, to: number): Span[] {
  return spans
    .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter((span) => span.from < span.to);
}

/** Whether a cluster is billed otherwise within a window, or to another account. */
export function differsWithin(was: Billed, is: Billed, from: number, to: number): boolean {
  const [one, other] = [clip(was.spans, from, to), clip(is.spans, from, to)];
  if (was.owner !== is.owner) return one.length > 0 || other.length > 0;
  return (
    one.length !== other.length ||
    one.some((span, i) => span.from !== other[i]?.from || span.to !== other[i]?.to)
  );
}
