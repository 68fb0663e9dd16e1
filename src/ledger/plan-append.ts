import { isDeepStrictEqual } from 'node:util';
import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { decide, type Posting } from '../domain/facts/decide-fact.ts';
import type { Fact } from '../domain/facts/fact.ts';
import type { FactLookup } from '../domain/facts/known-facts.ts';
import type { Origin } from '../domain/facts/recorded-fact.ts';
import type { Instant } from '../domain/time.ts';
import type { ClusterHistory, RecordedFact } from './cluster-history.ts';
import { type FactEvent, factEvent } from './fact-event.ts';
import type { Outcome, Submission } from './submission.ts';

/** Size from which on an append gets no more facts, in bytes. Every store accepts appends of this size and one more fact. */
const MAX_APPEND_BYTES = 500_000;

/** When and by whom facts are posted, and the time that they are stamped with. */
export interface StampedPosting extends Posting {
  readonly recordedAt: Instant;
}

/** One append to the stream of a cluster. */
export interface AppendPlan {
  /** Outcomes of the first submissions, in order. The submissions after them belong to the next append. */
  readonly outcomes: Outcome[];
  /** The events of the facts to add. */
  readonly events: readonly FactEvent[];
}

/**
 * Decides what to append for the submissions of one cluster. Each submission is decided on the recorded facts and on the facts
 * that the submissions before it add. Nothing is written.
 * @param history the recorded facts; the same afterwards. Add the planned facts to it once they are recorded.
 */
export function planFor(
  history: ClusterHistory,
  submissions: readonly Submission[],
  posting: StampedPosting,
): AppendPlan & { readonly added: readonly RecordedFact[] } {
  const recorded = history.facts.length;
  try {
    const plan = planInto(history, submissions, posting);
    return { ...plan, added: history.facts.slice(recorded) };
  } finally {
    while (history.facts.length > recorded) history.removeLast();
  }
}

/** Plans as `planFor` does, and adds the planned facts to the history. Discard the history if they are not recorded. */
export function planInto(
  history: ClusterHistory,
  submissions: readonly Submission[],
  posting: StampedPosting,
): AppendPlan {
  const { known } = history;
  const outcomes: Outcome[] = [];
  const events: FactEvent[] = [];
  let bytes = 0;
  const add = (fact: Fact, origin: Origin): RecordedFact => {
    const { recordedAt } = posting;
    const event = factEvent(fact, origin, recordedAt);
    const revision = history.length;
    const textLength = event.json.data.length + event.json.metadata.length;
    const recorded = { eventId: event.id, order: revision, revision, fact, origin, recordedAt, textLength };
    history.add(recorded);
    events.push(event);
    bytes += 2 * textLength;
    return recorded;
  };
  for (const submission of submissions) {
    const { fact, origin } = submission;
    const earlier = history.findByOrigin(origin);
    if (earlier !== undefined) {
      outcomes.push(withNoEffect(outcomeOfRepeat(earlier, submission), known, earlier));
      continue;
    }
    const decision = decide(known, fact, posting);
    if (!decision.ok) {
      outcomes.push({ outcome: 'rejected', rejection: decision.rejection });
      continue;
    }
    if (bytes > MAX_APPEND_BYTES) break;
    const [, notice] = decision.facts;
    const planned = add(fact, origin);
    const { eventId, revision, recordedAt } = planned;
    if (notice !== undefined) add(notice, noticeOrigin(eventId, origin));
    const { clusterId } = fact;
    const appended = { outcome: 'appended', eventId, clusterId, revision, recordedAt } as const;
    outcomes.push(withNoEffect(appended, known, planned));
  }
  return { outcomes, events };
}

function noticeOrigin(decidingEventId: string, { actor }: Origin): Origin {
  return { source: LEDGER_SOURCE, id: `notice-of-${decidingEventId}`, actor };
}

/** Adds to an outcome why the fact changes nothing: it is voided, or it voids a fact that another void before it voids. */
function withNoEffect(outcome: Outcome, known: FactLookup, { eventId, fact }: RecordedFact): Outcome {
  if (!('eventId' in outcome)) return outcome;
  const target = fact.type === 'FactVoided' ? fact.voids : eventId;
  const first = known.voidOf(target);
  if (first === undefined || first.eventId === eventId) return outcome;
  const why = fact.type === 'FactVoided' ? 'target-voided-before' : 'voided';
  return { ...outcome, noEffect: { why, voidedBy: first.eventId } };
}

function outcomeOfRepeat(earlier: RecordedFact, { fact, isTimedByLedger }: Submission): Outcome {
  const compared = isTimedByLedger === true ? { ...fact, effectiveAt: earlier.fact.effectiveAt } : fact;
  const { eventId, revision, recordedAt } = earlier;
  return isDeepStrictEqual(comparable(earlier.fact), comparable(compared))
    ? { outcome: 'duplicate', eventId, clusterId: fact.clusterId, revision, recordedAt }
    : { outcome: 'rejected', rejection: { code: 'event-id-reused', eventId } };
}

/**
 * Returns a fact in the form in which repeats are compared: as a store returns it (JSON has no minus zero), and without
 * `billable: true` in a registration. Version 1 recorded the default as if it had been posted.
 */
function comparable(fact: Fact): unknown {
  const { billable, ...rest } = JSON.parse(JSON.stringify(fact)) as Fact & { readonly billable?: boolean };
  const isDefault = billable === undefined || (fact.type === 'ClusterRegistered' && billable);
  return isDefault ? rest : { ...rest, billable };
}
