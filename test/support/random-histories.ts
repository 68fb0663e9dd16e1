import fc from 'fast-check';
import { CAUSES, type Fact, type KnownFact } from '../../src/domain/facts/fact.ts';
import type { OracleFact } from '../oracle/oracle.ts';
import { oracleFact, randomFacts } from './random-facts.ts';

/** Last instant of a history. Histories have few instants, so that facts often meet at one. */
export const LAST = 12;
export const instants = fc.integer({ min: 0, max: LAST });

/** Returns the event id of the fact at a position. As real ids, these are not in the order of the positions. */
export function idAt(position: number): string {
  return `${String((position * 7) % 100).padStart(2, '0')}000000-0000-4000-8000-${String(position).padStart(12, '0')}`;
}

function positionOf(eventId: string): number {
  return Number(eventId.slice(-12));
}

const facts = randomFacts({
  clusterId: fc.constant('c1'),
  effectiveAt: instants,
  ownerOf: () => fc.constantFrom('acme', 'acme', 'globex'),
  newOwner: fc.constantFrom('acme', 'globex'),
  cause: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...CAUSES) },
    { weight: 1, arbitrary: fc.constant('deleted' as const) },
  ),
  observation: fc.constantFrom('ClusterUnreachable', 'ClusterReachable'),
  // A void may name a fact that does not exist.
  voids: fc.integer({ min: 1, max: 14 }).map(idAt),
  weights: { registered: 3, changed: 3, deleted: 1, switched: 6, observed: 1, voided: 1 },
});

/** Facts of one cluster in recorded order; no void is voided, since the ledger does not accept that. */
export const histories: fc.Arbitrary<KnownFact<Fact>[]> = fc
  .array(facts, { maxLength: 14 })
  .map((recorded) =>
    recorded
      .map((fact, i) => ({ eventId: idAt(i + 1), order: i + 1, fact }))
      .filter(
        ({ fact }) =>
          fact.type !== 'FactVoided' || recorded[positionOf(fact.voids) - 1]?.type !== 'FactVoided',
      ),
  );

/** Returns the same history as the oracle takes it. */
export function forOracle(history: readonly KnownFact<Fact>[]): OracleFact[] {
  return history.map(({ eventId, order, fact }) => oracleFact(fact, eventId, order));
}
