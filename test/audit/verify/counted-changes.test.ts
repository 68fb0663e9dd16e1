import { describe, expect, test } from 'vitest';
import type { BillingFact } from '../../../src/audit/verify/billing-fact.ts';
import { changesBetween } from '../../../src/audit/verify/counted-changes.ts';
import { changed, deleted, factsOf, registered, resumed, stopped, voided } from './billing-facts.ts';

/** The event ids of the changes between two positions, and when what changed is effective. */
const changes = (facts: readonly BillingFact[], before: number, w: number) =>
  changesBetween(facts, before, w).map(({ by, at }) => [by.eventId, at]);

describe('the changes between two positions', () => {
  test('are the facts after the first, up to the second', () => {
    const facts = factsOf(registered(1), stopped(2), resumed(3), deleted(4));
    expect(changes(facts, 0, 4)).toEqual([
      ['e1', 1],
      ['e2', 2],
      ['e3', 3],
      ['e4', 4],
    ]);
    expect(changes(facts, 1, 3)).toEqual([
      ['e2', 2],
      ['e3', 3],
    ]);
    expect(changes(facts, 3, 3)).toEqual([]);
  });

  test('have the void of a fact that counted before, at the instant of that fact', () => {
    const facts = factsOf(registered(1), stopped(2), voided('e2', { at: 99 }));
    expect(changes(facts, 2, 3)).toEqual([['e3', 2]]);
  });

  test('have neither a fact that was voided before it ever counted, nor its void', () => {
    const facts = factsOf(registered(1), stopped(2), voided('e2'));
    expect(changes(facts, 1, 3)).toEqual([]);
  });

  test('have neither a fact that was voided already, nor a second void of it', () => {
    const facts = factsOf(registered(1), voided('e1'), voided('e1'));
    expect(changes(facts, 2, 3)).toEqual([]);
  });

  test('have the first of two voids of a fact', () => {
    const facts = factsOf(registered(1), voided('e1'), voided('e1'));
    expect(changes(facts, 1, 3)).toEqual([['e2', 1]]);
  });

  test('have no void that is not known yet', () => {
    const facts = factsOf(registered(1), voided('e1'));
    expect(changes(facts, 0, 1)).toEqual([['e1', 1]]);
  });

  test.each<[counts: boolean, what: string, fact: BillingFact]>(
    [
      [true, 'a change of the account', changed(1, { accountId: 'a' })],
      [true, 'a change of the type', changed(1, { clusterType: 'a' })],
      [true, 'a change of whether it is billable', changed(1, { billable: false })],
      [false, 'a change of something else', changed(1, {})],
      [true, 'a stop', stopped(1)],
      [true, 'a resumption', resumed(1)],
      [false, 'the notice of a deletion', stopped(1, { cause: undefined })],
      [false, 'the notice of a voided deletion', resumed(1, { cause: undefined })],
      [false, 'a fact that decides nothing', { type: 'other', at: 1 } as const],
      [false, 'a void of an unknown fact', voided('e9')],
    ].map(
      ([counts, what, fact]) =>
        [counts, what, factsOf(fact as BillingFact)[0]] as [boolean, string, BillingFact],
    ),
  )('have (%s) %s', (counts, _, fact) => {
    expect(changes([fact], 0, 1)).toEqual(counts ? [['e1', fact.at]] : []);
  });
});
