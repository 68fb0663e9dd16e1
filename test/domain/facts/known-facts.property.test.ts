import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billCluster, ownerAt } from '../../../src/domain/billing/billing.ts';
import type { KnownFact } from '../../../src/domain/facts/fact.ts';
import { KnownFacts } from '../../../src/domain/facts/known-facts.ts';
import { histories, LAST } from '../../support/random-histories.ts';
import { at, changed, registered } from './facts.ts';

/** Expects the answers of the index to equal those of a fold and of a search over all facts. */
function isAsFolded(known: KnownFacts, facts: readonly KnownFact[]): void {
  const billing = billCluster(facts);
  expect(known.all).toEqual(facts);
  expect(known.deletedAt).toBe(billing.deletion?.fact.effectiveAt);
  for (let day = -1; day <= LAST + 1; day++) expect(known.ownerAt(day)).toBe(ownerAt(billing, day));
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

  test('name the owner by the greater event id of two transfers at one instant, in either order of arrival', () => {
    const [lesser, greater] = [
      { eventId: 'a', order: 1, fact: changed('2026-01-02', { accountId: 'lesser' }) },
      { eventId: 'b', order: 2, fact: changed('2026-01-02', { accountId: 'greater' }) },
    ];
    const registration = { eventId: 'c', order: 0, fact: registered('2026-01-01') };
    for (const arrived of [
      [lesser, greater],
      [greater, lesser],
    ]) {
      const known = new KnownFacts<KnownFact>([registration, ...arrived]);
      expect(known.ownerAt(at('2026-01-02'))).toBe('greater');
      known.removeLast();
      expect(known.ownerAt(at('2026-01-02'))).toBe(arrived[0] === lesser ? 'lesser' : 'greater');
      expect(known.ownerAt(at('2026-01-01'))).toBe('acme');
    }
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
