import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billCluster, ownerAt } from '../../../src/domain/billing/billing.ts';
import type { KnownFact } from '../../../src/domain/facts/fact.ts';
import { KnownFacts } from '../../../src/domain/facts/known-facts.ts';
import { histories, LAST } from '../../support/random-histories.ts';

/** Expects the answers of the index to equal those of a fold and of a search over all facts. */
function isAsFolded(known: KnownFacts, facts: readonly KnownFact[]): void {
  const billing = billCluster(facts);
  expect(known.all).toEqual(facts);
  expect(known.deletedAt).toBe(billing.deletion?.fact.effectiveAt);
  for (let at = -1; at <= LAST + 1; at++) expect(known.ownerAt(at)).toBe(ownerAt(billing, at));
  for (const { eventId } of facts)
    expect(known.voidOf(eventId)).toBe(
      facts.find(({ fact }) => fact.type === 'FactVoided' && fact.voids === eventId),
    );
}

describe('the known facts of a cluster', () => {
  test('answer as a fold of all facts does, after every added and every removed fact', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const known = new KnownFacts();
        for (const [i, fact] of history.entries()) {
          known.add(fact);
          isAsFolded(known, history.slice(0, i + 1));
        }
        for (let left = history.length - 1; left >= 0; left--) {
          known.removeLast();
          isAsFolded(known, history.slice(0, left));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('are found by event id', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const known = new KnownFacts(history);
        for (const fact of history) expect(known.find(fact.eventId)).toBe(fact);
        expect(known.find('none')).toBeUndefined();
      }),
    );
  });
});
