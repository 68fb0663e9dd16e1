import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { periodWindow } from '../../../src/domain/time.ts';
import { differencesOf } from '../../../src/projections/queries/differences.ts';
import { deleted, registered, resumed, seen, stopped, voided } from '../../domain/facts/facts.ts';
import { idAt, modelOf } from '../../support/models.ts';

/** Returns the positions of the facts that explain the change of acme's January since the first `known` facts. */
function causes(known: number, ...facts: Fact[]): number[] {
  const span = { before: known, after: facts.length };
  const changes = [...differencesOf(modelOf(facts), 'acme', span, periodWindow('2026-01'))];
  return changes.flatMap((change) => (change === undefined ? [] : [change.causePosition]));
}

describe('the difference between two positions', () => {
  const since = registered('2026-01-10');

  test('names the facts that changed the figure, and no others', () => {
    const late = [
      seen('2026-01-20', 'ClusterUnreachable'),
      stopped('2026-01-30'),
      stopped('2026-01-30', 'deleted'),
      resumed('2026-01-31'),
      stopped('2026-02-10', 'unreachable'),
      registered('2026-01-12'),
    ];
    expect(causes(1, since, ...late)).toEqual([3, 5]);
  });

  test('names neither a stop within a stop nor a fact after the deletion', () => {
    const stops = [stopped('2026-01-15'), stopped('2026-01-16'), stopped('2026-01-17', 'unreachable')];
    expect(causes(2, since, ...stops)).toEqual([]);
    expect(causes(2, since, deleted('2026-01-15'), stopped('2026-01-20'), deleted('2026-01-25'))).toEqual([]);
  });

  test('names both of two facts of which either suffices', () => {
    expect(causes(1, since, stopped('2026-01-15'), stopped('2026-01-15', 'unreachable'))).toEqual([2, 3]);
  });

  test('names the void of a known fact, and no fact that was recorded and voided in between', () => {
    const gone = [stopped('2026-01-20'), voided('2026-02-01', idAt(3)), voided('2026-02-01', idAt(2))];
    expect(causes(2, since, stopped('2026-01-12'), ...gone)).toEqual([5]);
  });

  test('names a transfer to another account for both accounts', () => {
    const other = { ...registered('2026-01-10'), accountId: 'globex' };
    const facts = [since, voided('2026-02-01', idAt(1)), other];
    expect(causes(1, ...facts)).toEqual([2, 3]);
    const span = { before: 1, after: 3 };
    const changes = [...differencesOf(modelOf(facts), 'globex', span, periodWindow('2026-01'))];
    expect(changes.flatMap((change) => change?.causePosition ?? [])).toEqual([3]);
  });

  test('names changes of two clusters that cancel out', () => {
    const second = (fact: Fact): Fact => ({ ...fact, clusterId: 'c2' });
    const known = [since, stopped('2026-01-15'), second(since)];
    const swap = [resumed('2026-01-20'), second(stopped('2026-01-20'))];
    expect(causes(3, ...known, ...swap)).toEqual([4, 5]);
  });
});
