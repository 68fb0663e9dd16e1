import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/domain/facts/fact.ts';
import { ClusterHistory, type RecordedFact } from '../../src/ledger/cluster-history.ts';
import { planFor, type StampedPosting } from '../../src/ledger/plan-append.ts';
import type { Outcome, Submission } from '../../src/ledger/submission.ts';
import { deletion, NOW, registration, submissionOf } from './facts.ts';

const plan = (recorded: readonly RecordedFact[], submissions: Submission[], posting: StampedPosting) =>
  planFor(new ClusterHistory(recorded), submissions, posting);

const posting = { now: NOW, recordedAt: NOW, mayBackdate: false };
const outcomesOf = (outcomes: readonly Outcome[]) => outcomes.map(({ outcome }) => outcome);
const eventIdOf = (outcome: Outcome | undefined) =>
  outcome !== undefined && 'eventId' in outcome ? outcome.eventId : '';

describe('planFor', () => {
  test('decides on each submission with the facts that the submissions before it add', () => {
    const alone = plan([], [submissionOf(registration('c', NOW + 3_600_000), 'future')], posting);
    expect(alone.outcomes).toMatchObject([
      { outcome: 'rejected', rejection: { code: 'effective-in-future' } },
    ]);
    const conflicting = { ...registration('c'), accountId: 'other' } as Fact;
    const { outcomes, added } = plan(
      [],
      [
        submissionOf(registration('c'), 'a'),
        submissionOf(conflicting, 'b'),
        submissionOf(deletion('c'), 'd'),
      ],
      posting,
    );
    expect(outcomesOf(outcomes)).toEqual(['appended', 'rejected', 'appended']);
    expect(added.map(({ revision, order, fact }) => [revision, order, fact.type])).toEqual([
      [0, 0, 'ClusterRegistered'],
      [1, 1, 'ClusterDeleted'],
      [2, 2, 'BillingStopped'],
    ]);
  });

  test('continues with the revision after the recorded facts', () => {
    const { added: recorded } = plan([], [submissionOf(registration('c'), 'a')], posting);
    const { outcomes } = plan(recorded, [submissionOf(deletion('c'), 'd')], posting);
    expect(outcomes).toMatchObject([{ outcome: 'appended', revision: 1, recordedAt: NOW }]);
  });

  test('reports a repeat as a duplicate with the id, revision and time of the recorded fact', () => {
    const first = plan([], [submissionOf(registration('c'), 'a')], posting);
    const { outcomes, added } = plan(first.added, [submissionOf(registration('c'), 'a')], {
      ...posting,
      now: NOW + 60_000,
      recordedAt: NOW + 60_000,
    });
    expect(added).toEqual([]);
    expect(outcomes).toEqual([{ ...first.outcomes[0], outcome: 'duplicate' }]);
  });

  test('rejects a different fact under an id that was used before', () => {
    const { added, outcomes } = plan([], [submissionOf(registration('c'), 'a')], posting);
    expect(plan(added, [submissionOf(deletion('c'), 'a')], posting).outcomes).toEqual([
      { outcome: 'rejected', rejection: { code: 'event-id-reused', eventId: eventIdOf(outcomes[0]) } },
    ]);
  });

  test('ignores the effective time of a repeat if the ledger set it', () => {
    const { added } = plan([], [submissionOf(registration('c'), 'a')], posting);
    const later = registration('c', NOW + 1);
    const repeat = (isTimedByLedger: boolean) =>
      outcomesOf(plan(added, [submissionOf(later, 'a', { isTimedByLedger })], posting).outcomes);
    expect(repeat(true)).toEqual(['duplicate']);
    expect(repeat(false)).toEqual(['rejected']);
  });

  test('appends the notice of a voided deletion after the void, as an event of the ledger', () => {
    const { added, outcomes } = plan(
      [],
      [
        submissionOf(registration('c', NOW - 7_200_000), 'a'),
        submissionOf(deletion('c', NOW - 3_600_000), 'd'),
      ],
      posting,
    );
    const voiding = {
      type: 'FactVoided',
      clusterId: 'c',
      effectiveAt: NOW,
      voids: eventIdOf(outcomes[1]),
      reason: 'wrong cluster',
    } as Fact;
    const voided = plan(added, [submissionOf(voiding, 'v')], posting);
    expect(voided.added).toMatchObject([
      { revision: 3, fact: { type: 'FactVoided' }, origin: { source: 'urn:test' } },
      {
        revision: 4,
        fact: { type: 'BillingResumed' },
        origin: {
          source: 'urn:cluster-ledger',
          id: `notice-of-${eventIdOf(voided.outcomes[0])}`,
          actor: 'tester',
        },
      },
    ]);
    expect(voided.outcomes).toMatchObject([{ outcome: 'appended', revision: 3 }]);
  });

  test('leaves submissions for the next append once the append is large enough', () => {
    const large = { ...registration('c'), name: 'x'.repeat(120_000) } as Fact;
    const submissions = ['a', 'b', 'c', 'd'].map((id) => submissionOf(large, id));
    const first = plan([], submissions, posting);
    expect(first.outcomes.length).toBeLessThan(submissions.length);
    expect(first.added).toHaveLength(first.outcomes.length);
    const rest = plan(first.added, submissions.slice(first.outcomes.length), posting);
    expect(first.outcomes.length + rest.outcomes.length).toBe(submissions.length);
  });
});

/** Counts how often facts are read while a submission is planned on a history of a length. */
function readsWhilePlanning(length: number, fact: Fact): number {
  let reads = 0;
  const facts = Array.from({ length }, (_, i): RecordedFact => {
    const stored = i === 0 ? registration('c', NOW - length - 1) : observation(i % 2 === 0, NOW - length + i);
    const origin = { source: 'urn:test', id: String(i), actor: 'tester' };
    const counted = {
      ...{ eventId: String(i), order: i, revision: i, origin, recordedAt: NOW },
      get fact(): Fact {
        reads++;
        return stored;
      },
    };
    return counted;
  });
  const history = new ClusterHistory(facts);
  // The first question builds the indexes.
  planFor(history, [submissionOf({ ...fact, effectiveAt: fact.effectiveAt - 1 } as Fact, 'first')], posting);
  reads = 0;
  const { added } = planFor(history, [submissionOf(fact, 'second')], posting);
  expect(added).not.toEqual([]);
  expect(history.facts).toHaveLength(length);
  return reads;
}

function observation(isReachable: boolean, effectiveAt: number): Fact {
  return {
    type: isReachable ? 'ClusterReachable' : 'ClusterUnreachable',
    clusterId: 'c',
    effectiveAt,
  } as Fact;
}

describe('the cost of planning a fact', () => {
  test.each([
    ['an observation', observation(true, NOW)],
    [
      'a late stop',
      { type: 'BillingStopped', clusterId: 'c', effectiveAt: NOW - 50, cause: 'manual' } as Fact,
    ],
    ['a registration', registration('c', NOW)],
    ['a deletion', deletion('c', NOW)],
    ['a void', { type: 'FactVoided', clusterId: 'c', effectiveAt: NOW, voids: '1', reason: 'wrong' } as Fact],
  ])('is the same on 20,000 facts as on 40, for %s', (_, fact) => {
    expect(readsWhilePlanning(20_000, fact)).toBeLessThanOrEqual(readsWhilePlanning(40, fact) + 2);
  });
});

describe('the history of a cluster', () => {
  test.each([3, 100])(
    'finds a repeat among %i facts by source and id, and not after it was removed',
    (count) => {
      const history = new ClusterHistory();
      for (let i = 0; i < count; i++)
        for (const fact of plan(history.facts, [submissionOf(registration('c', NOW - i), `a${i}`)], posting)
          .added)
          history.add(fact);
      expect(history.findByOrigin({ source: 'urn:test', id: 'a1', actor: 'x' })).toBe(history.facts[1]);
      expect(history.findByOrigin({ source: 'urn:other', id: 'a1', actor: 'x' })).toBeUndefined();
      const last = { source: 'urn:test', id: `a${count - 1}`, actor: 'x' };
      expect(history.findByOrigin(last)).toBe(history.facts.at(-1));
      history.removeLast();
      expect(history.findByOrigin(last)).toBeUndefined();
    },
  );
});
