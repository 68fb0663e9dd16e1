import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/domain/facts/fact.ts';
import { planFor } from '../../src/ledger/plan-append.ts';
import type { Outcome } from '../../src/ledger/submission.ts';
import { deletion, NOW, registration, submissionOf } from './facts.ts';

const posting = { now: NOW, recordedAt: NOW, mayBackdate: false };
const outcomesOf = (outcomes: readonly Outcome[]) => outcomes.map(({ outcome }) => outcome);
const eventIdOf = (outcome: Outcome | undefined) =>
  outcome !== undefined && 'eventId' in outcome ? outcome.eventId : '';

describe('planFor', () => {
  test('decides on each submission with the facts that the submissions before it add', () => {
    const alone = planFor([], [submissionOf(registration('c', NOW + 3_600_000), 'future')], posting);
    expect(alone.outcomes).toMatchObject([
      { outcome: 'rejected', rejection: { code: 'effective-in-future' } },
    ]);
    const conflicting = { ...registration('c'), accountId: 'other' } as Fact;
    const { outcomes, added } = planFor(
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
    const { added: recorded } = planFor([], [submissionOf(registration('c'), 'a')], posting);
    const { outcomes } = planFor(recorded, [submissionOf(deletion('c'), 'd')], posting);
    expect(outcomes).toMatchObject([{ outcome: 'appended', revision: 1, recordedAt: NOW }]);
  });

  test('reports a repeat as a duplicate with the id, revision and time of the recorded fact', () => {
    const first = planFor([], [submissionOf(registration('c'), 'a')], posting);
    const { outcomes, added } = planFor(first.added, [submissionOf(registration('c'), 'a')], {
      ...posting,
      now: NOW + 60_000,
      recordedAt: NOW + 60_000,
    });
    expect(added).toEqual([]);
    expect(outcomes).toEqual([{ ...first.outcomes[0], outcome: 'duplicate' }]);
  });

  test('rejects a different fact under an id that was used before', () => {
    const { added, outcomes } = planFor([], [submissionOf(registration('c'), 'a')], posting);
    expect(planFor(added, [submissionOf(deletion('c'), 'a')], posting).outcomes).toEqual([
      { outcome: 'rejected', rejection: { code: 'event-id-reused', eventId: eventIdOf(outcomes[0]) } },
    ]);
  });

  test('ignores the effective time of a repeat if the ledger set it', () => {
    const { added } = planFor([], [submissionOf(registration('c'), 'a')], posting);
    const later = registration('c', NOW + 1);
    const repeat = (isTimedByLedger: boolean) =>
      outcomesOf(planFor(added, [submissionOf(later, 'a', { isTimedByLedger })], posting).outcomes);
    expect(repeat(true)).toEqual(['duplicate']);
    expect(repeat(false)).toEqual(['rejected']);
  });

  test('appends the notice of a voided deletion after the void, as an event of the ledger', () => {
    const { added, outcomes } = planFor(
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
    const plan = planFor(added, [submissionOf(voiding, 'v')], posting);
    expect(plan.added).toMatchObject([
      { revision: 3, fact: { type: 'FactVoided' }, origin: { source: 'urn:test' } },
      {
        revision: 4,
        fact: { type: 'BillingResumed' },
        origin: {
          source: 'urn:cluster-ledger',
          id: `notice-of-${eventIdOf(plan.outcomes[0])}`,
          actor: 'tester',
        },
      },
    ]);
    expect(plan.outcomes).toMatchObject([{ outcome: 'appended', revision: 3 }]);
  });

  test('leaves submissions for the next append once the append is large enough', () => {
    const event = { padding: 'x'.repeat(120_000) };
    const submissions = ['a', 'b', 'c', 'd'].map((id) => submissionOf(registration('c'), id, { event }));
    const plan = planFor([], submissions, posting);
    expect(plan.outcomes.length).toBeLessThan(submissions.length);
    expect(plan.added).toHaveLength(plan.outcomes.length);
    const rest = planFor(plan.added, submissions.slice(plan.outcomes.length), posting);
    expect(plan.outcomes.length + rest.outcomes.length).toBe(submissions.length);
  });
});
