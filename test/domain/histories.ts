import fc from 'fast-check';
import { CAUSES, type Fact, type KnownFact } from '../../src/domain/facts/fact.ts';
import type { OracleFact } from '../oracle/oracle.ts';

/** Histories of one cluster for properties: few instants, so that facts often meet at one. */

export const LAST = 12;
export const instants = fc.integer({ min: 0, max: LAST });
const causes = fc.constantFrom(...CAUSES);
const one = { clusterId: fc.constant('c1'), effectiveAt: instants };

export const registrations = fc.record({
  ...one,
  type: fc.constant('ClusterRegistered' as const),
  accountId: fc.constant('acme'),
  name: fc.constant('one'),
  billable: fc.constant(true),
});
const deletions = fc.record({ ...one, type: fc.constant('ClusterDeleted' as const) });
const switches = fc.record({
  ...one,
  type: fc.constantFrom('BillingStopped' as const, 'BillingResumed' as const),
  cause: fc.oneof(
    { weight: 8, arbitrary: causes },
    { weight: 1, arbitrary: fc.constant('deleted' as const) },
  ),
});
const observations = fc.record({
  ...one,
  type: fc.constantFrom('ClusterUnreachable' as const, 'ClusterReachable' as const),
});

/** A void of the fact of some id among `'1'` to `'14'`, known or not. */
const voids = fc.record({
  ...one,
  type: fc.constant('FactVoided' as const),
  voids: fc.integer({ min: 1, max: 14 }).map(String),
  reason: fc.constant('a mistake'),
});

const facts: fc.Arbitrary<Fact> = fc.oneof(
  { weight: 3, arbitrary: registrations },
  { weight: 1, arbitrary: deletions },
  { weight: 6, arbitrary: switches },
  { weight: 1, arbitrary: observations },
  { weight: 1, arbitrary: voids },
);

/** Facts of one cluster in recorded order; no void is voided, since the ledger does not accept that. */
export const histories: fc.Arbitrary<KnownFact<Fact>[]> = fc
  .array(facts, { maxLength: 14 })
  .map((recorded) =>
    recorded
      .map((fact, i) => ({ eventId: String(i + 1), order: i + 1, fact }))
      .filter(
        ({ fact }) => fact.type !== 'FactVoided' || recorded[Number(fact.voids) - 1]?.type !== 'FactVoided',
      ),
  );

/** The same history for the oracle. */
export function forOracle(history: readonly KnownFact<Fact>[]): OracleFact[] {
  return history.map(({ eventId, order, fact }) => ({
    ...fact,
    eventId,
    position: order,
    effectiveAt: BigInt(fact.effectiveAt),
  }));
}
