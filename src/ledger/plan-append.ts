import { isDeepStrictEqual } from 'node:util';
import { decide, type Posting } from '../domain/facts/decide.ts';
import type { Fact } from '../domain/facts/fact.ts';
import type { Origin } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { Revision } from '../util/log-numbers.ts';
import type { RecordedFact } from './cluster-history-cache.ts';
import { eventId } from './event-id.ts';
import { LEDGER_SOURCE, type NoEffect, type Outcome, type Submission } from './submission.ts';

/** Maximum size of the facts in one append, in bytes of their posted events. Every store accepts appends of this size. */
const MAX_APPEND_BYTES = 500_000;

/** One append to the stream of a cluster. */
export interface AppendPlan {
  /** Outcomes of the first submissions, in order. The submissions after them belong to the next append. */
  readonly outcomes: Outcome[];
  readonly added: RecordedFact[];
}

/**
 * Decides what to append for the submissions of one cluster. Each submission is decided on the recorded facts and on the facts
 * that the submissions before it add. Nothing is written.
 */
export function planFor(
  recorded: readonly RecordedFact[],
  submissions: readonly Submission[],
  posting: Posting,
): AppendPlan {
  const outcomes: Outcome[] = [];
  const added: RecordedFact[] = [];
  let bytes = 0;
  for (const submission of submissions) {
    const { fact, origin } = submission;
    const facts = added.length === 0 ? recorded : [...recorded, ...added];
    const earlier = facts.find((each) => isSameOrigin(each.origin, origin));
    if (earlier !== undefined) {
      outcomes.push(withVoid(outcomeOfRepeat(earlier, submission), voidOf(facts, earlier.eventId), 'voided'));
      continue;
    }
    const decision = decide(facts, fact, posting);
    if (!decision.ok) {
      outcomes.push({ outcome: 'rejected', rejection: decision.rejection });
      continue;
    }
    if (submissions.length > 1) bytes += JSON.stringify(submission.event).length * 2;
    if (bytes > MAX_APPEND_BYTES && added.length > 0) break;
    const revision = facts.length;
    const recordedAt = posting.now;
    const [, notice] = decision.facts;
    const planned = recordedFact(fact, origin, revision, recordedAt);
    added.push(planned);
    if (notice !== undefined)
      added.push(recordedFact(notice, noticeOrigin(planned.eventId, origin), revision + 1, recordedAt));
    const { eventId } = planned;
    const appended = {
      outcome: 'appended',
      eventId,
      clusterId: fact.clusterId,
      revision,
      recordedAt,
    } as const;
    const voidedBefore = fact.type === 'FactVoided' ? voidOf(facts, fact.voids) : undefined;
    outcomes.push(withVoid(appended, voidedBefore, 'target-voided-before'));
  }
  return { outcomes, added };
}

function isSameOrigin(a: Origin, b: Origin): boolean {
  return a.id === b.id && a.source === b.source;
}

function recordedFact(fact: Fact, origin: Origin, revision: Revision, recordedAt: number): RecordedFact {
  const id = eventId(clusterStream(fact.clusterId), origin.source, origin.id, JSON.stringify(fact));
  return { eventId: id, order: revision, revision, fact, origin, recordedAt };
}

function noticeOrigin(decidingEventId: string, { actor }: Origin): Origin {
  return { source: LEDGER_SOURCE, id: `notice-of-${decidingEventId}`, actor };
}

/** Returns the first fact that voids the given one. */
function voidOf(facts: readonly RecordedFact[], eventId: string): RecordedFact | undefined {
  return facts.find(({ fact }) => fact.type === 'FactVoided' && fact.voids === eventId);
}

function withVoid(outcome: Outcome, voiding: RecordedFact | undefined, why: NoEffect['why']): Outcome {
  if (voiding === undefined || !('eventId' in outcome)) return outcome;
  return { ...outcome, noEffect: { why, voidedBy: voiding.eventId } };
}

function outcomeOfRepeat(earlier: RecordedFact, { fact, isTimedByLedger }: Submission): Outcome {
  const compared = isTimedByLedger === true ? { ...fact, effectiveAt: earlier.fact.effectiveAt } : fact;
  const { eventId, revision, recordedAt } = earlier;
  return isDeepStrictEqual(asStored(earlier.fact), asStored(compared))
    ? { outcome: 'duplicate', eventId, clusterId: fact.clusterId, revision, recordedAt }
    : { outcome: 'rejected', rejection: { code: 'event-id-reused', eventId } };
}

/** Returns a fact as a store returns it. JSON has no minus zero. */
function asStored(fact: Fact): unknown {
  return JSON.parse(JSON.stringify(fact));
}
