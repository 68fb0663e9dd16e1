import { describe, expect, test } from 'vitest';
import {
  confirmBy,
  type Deletion,
  type DeletionFact,
  deletionState,
  deletionsOf,
  isUnderWay,
} from '../../src/domain/cluster-deletion.ts';
import type { Fact } from '../../src/domain/facts/fact.ts';

/** The facts of a cluster, of which the nth has the event id `en` and is recorded at n by `ada`. */
const facts = (...all: readonly object[]): DeletionFact[] =>
  all.map((fact, i) => ({
    fact: { clusterId: 'c1', effectiveAt: 1_000, ...fact } as Fact,
    eventId: `e${i + 1}`,
    recordedAt: i + 1,
    actor: 'ada',
  }));
const step = (at: number, reason?: string) => ({ at, by: 'ada', ...(reason !== undefined && { reason }) });

const requested = (deletionId = 'd1', more = {}) => ({
  type: 'ClusterDeletionRequested',
  deletionId,
  ...more,
});
const confirmed = (deletionId = 'd1') => ({ type: 'ClusterDeletionConfirmed', deletionId });
const failed = (deletionId = 'd1') => ({ type: 'ClusterDeletionFailed', deletionId, reason: 'no right' });
const cancelled = (deletionId = 'd1') => ({ type: 'ClusterDeletionCancelled', deletionId });
const deleted = { type: 'ClusterDeleted' };
const unreachable = { type: 'ClusterUnreachable' };
const voided = (voids: string) => ({ type: 'FactVoided', voids, reason: 'wrong' });
const ended = (at: number) => ({ ...step(at), effectiveAt: 1_000 });

describe('the deletions of a cluster', () => {
  test.each<[title: string, facts: DeletionFact[], deletions: Deletion[]]>([
    ['are none without facts about one', facts({ type: 'ClusterRegistered' }, unreachable, deleted), []],
    [
      'begin with a request, and its reason',
      facts(requested('d1', { reason: 'unused' })),
      [{ deletionId: 'd1', requested: step(1, 'unused') }],
    ],
    [
      'have the first of two requests',
      facts(requested(), requested()),
      [{ deletionId: 'd1', requested: step(1) }],
    ],
    [
      'have a confirmation',
      facts(requested(), confirmed()),
      [{ deletionId: 'd1', requested: step(1), confirmed: step(2) }],
    ],
    ['may begin with a confirmation', facts(confirmed()), [{ deletionId: 'd1', confirmed: step(1) }]],
    [
      'have begun with a second confirmation',
      facts(confirmed(), confirmed()),
      [{ deletionId: 'd1', confirmed: step(1), begun: step(2) }],
    ],
    [
      'have begun again with each further confirmation',
      facts(confirmed(), confirmed(), failed(), confirmed()),
      [{ deletionId: 'd1', confirmed: step(1), begun: step(4), failed: step(3, 'no right') }],
    ],
    [
      'have begun when a cluster stops to answer after the confirmation, and not once more',
      facts(confirmed(), unreachable, unreachable),
      [{ deletionId: 'd1', confirmed: step(1), begun: step(2) }],
    ],
    [
      'have not begun before the confirmation',
      facts(requested(), unreachable),
      [{ deletionId: 'd1', requested: step(1) }],
    ],
    [
      'have a failure and a cancellation',
      facts(requested(), failed(), cancelled()),
      [{ deletionId: 'd1', requested: step(1), failed: step(2, 'no right'), cancelled: step(3) }],
    ],
    [
      'end with the deletion of the cluster',
      facts(confirmed(), deleted),
      [{ deletionId: 'd1', confirmed: step(1), deleted: ended(2) }],
    ],
    [
      'do not begin after their end',
      facts(confirmed(), deleted, unreachable),
      [{ deletionId: 'd1', confirmed: step(1), deleted: ended(2) }],
    ],
    [
      'do not end after a cancellation',
      facts(confirmed(), cancelled(), deleted, unreachable),
      [{ deletionId: 'd1', confirmed: step(1), cancelled: step(2) }],
    ],
    [
      'are known by their ids, and the last open one ends',
      facts(requested('d1'), requested('d2'), requested('d3'), cancelled('d3'), deleted),
      [
        { deletionId: 'd1', requested: step(1) },
        { deletionId: 'd2', requested: step(2), deleted: ended(5) },
        { deletionId: 'd3', requested: step(3), cancelled: step(4) },
      ],
    ],
    [
      'are cancelled by a void of what ended them',
      facts(confirmed(), deleted, voided('e2')),
      [{ deletionId: 'd1', confirmed: step(1), cancelled: step(3, 'wrong') }],
    ],
    [
      'end after such a void when the cluster is deleted after all',
      facts(confirmed(), deleted, voided('e2'), deleted),
      [{ deletionId: 'd1', confirmed: step(1), deleted: ended(4) }],
    ],
    [
      'do not begin after such a void',
      facts(confirmed(), deleted, voided('e2'), unreachable),
      [{ deletionId: 'd1', confirmed: step(1), cancelled: step(3, 'wrong') }],
    ],
    [
      'stay cancelled if the deletion that ended them was voided later',
      facts(confirmed(), deleted, cancelled(), voided('e2')),
      [{ deletionId: 'd1', confirmed: step(1), cancelled: step(3) }],
    ],
    [
      'are without a step whose fact was voided',
      facts(confirmed(), failed(), voided('e2')),
      [{ deletionId: 'd1', confirmed: step(1) }],
    ],
    [
      'are not cancelled by the void of another fact',
      facts(confirmed(), { type: 'ClusterReachable' }, voided('e2')),
      [{ deletionId: 'd1', confirmed: step(1) }],
    ],
    [
      'are not ended by a voided deletion before them',
      facts(deleted, voided('e1'), confirmed()),
      [{ deletionId: 'd1', confirmed: step(3) }],
    ],
  ])('%s', (_, all, deletions) => {
    expect(deletionsOf(all)).toEqual(deletions);
  });
});

const at = (n: number) => ({ at: n, by: 'ada' });

test.each<[isUnderWay: boolean, deletion: Partial<Deletion>]>([
  [true, { confirmed: at(1) }],
  [true, { confirmed: at(1), begun: at(2), failed: at(3) }],
  [false, { requested: at(1) }],
  [false, { confirmed: at(1), cancelled: at(2) }],
  [false, { confirmed: at(1), deleted: { ...at(2), effectiveAt: 2 } }],
])('a deletion is under way (%s): %j', (expected, deletion) => {
  expect(isUnderWay({ deletionId: 'd1', ...deletion })).toBe(expected);
});

test('a deletion can be confirmed for 10 minutes after its request', () => {
  expect(confirmBy({ deletionId: 'd1', requested: at(5) })).toBe(600_005);
  expect(confirmBy({ deletionId: 'd1', confirmed: at(5) })).toBeUndefined();
});

describe('the state of a deletion', () => {
  const HOURS = 3_600_000;
  const gone = { ...at(2), effectiveAt: 2 };
  test.each<[state: string, deletion: Partial<Deletion>, now?: number, isGone?: boolean]>([
    ['requested', { requested: at(1) }],
    ['confirmed', { confirmed: at(1) }, 2 * HOURS],
    ['stuck', { confirmed: at(1) }, 2 * HOURS + 1],
    ['stuck', { confirmed: at(1), begun: at(2) }, 2 * HOURS + 1],
    ['deprovisioning', { confirmed: at(1), begun: at(2) }],
    ['failed', { confirmed: at(1), failed: at(3) }],
    ['failed', { confirmed: at(1), begun: at(3), failed: at(3) }],
    ['failed', { failed: at(0) }],
    ['deprovisioning', { confirmed: at(1), begun: at(4), failed: at(3) }],
    ['cancelled', { confirmed: at(1), failed: at(2), cancelled: at(3) }],
    ['billing-stopped', { cancelled: at(1), deleted: gone }],
    ['verified-gone', { confirmed: at(1), deleted: gone }, 5, true],
    ['confirmed', { confirmed: at(1) }, 5, true],
  ])('is %s: %j', (state, deletion, now = 5, isGone = false) => {
    expect(deletionState({ deletionId: 'd1', ...deletion }, now, isGone)).toBe(state);
  });
});
