import fc from 'fast-check';
import { CAUSES, type Fact } from '../../src/domain/facts/fact.ts';
import type { OracleFact } from '../oracle/oracle.ts';
import { idAt } from './logs.ts';

/** Logs of a few clusters of two accounts, of which much is recorded late, for properties. */

export const PERIODS = ['2026-01', '2026-02', '2026-03'] as const;
/** Instants at which something may happen, and windows may begin and end. */
export const edges = [
  '2025-12-20',
  '2026-01-01',
  '2026-01-15',
  '2026-02-01',
  '2026-02-10',
  '2026-03-01',
  '2026-04-01',
]
  .map((day) => Date.parse(day))
  .flatMap((instant) => [instant - 1, instant, instant + 86_400_000]);

/** Where and when a fact is. */
export const one = {
  clusterId: fc.constantFrom('c0', 'c1', 'c2', 'c3'),
  effectiveAt: fc.oneof(
    fc.constantFrom(...edges),
    fc.integer({ min: edges[0] as number, max: edges.at(-1) as number }),
  ),
};
const reason = fc.constant('a mistake');

/** Facts of every kind that billing looks at, and one that it does not. @param voids what the voids among them name. */
export function factsWith(
  voids: fc.Arbitrary<string>,
  weights: { readonly registered: number; readonly voided: number },
): fc.Arbitrary<Fact> {
  return fc.oneof(
    {
      weight: weights.registered,
      arbitrary: fc.record({
        ...one,
        type: fc.constant('ClusterRegistered' as const),
        accountId: fc.constantFrom('acme', 'acme', 'globex'),
        name: fc.constant('one'),
        billable: fc.constantFrom(true, true, true, false),
      }),
    },
    { weight: 2, arbitrary: fc.record({ ...one, type: fc.constant('ClusterDeleted' as const) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        ...one,
        type: fc.constantFrom('BillingStopped' as const, 'BillingResumed' as const),
        cause: fc.constantFrom(...CAUSES, 'deleted' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ ...one, type: fc.constant('ClusterReachable' as const) }) },
    {
      weight: weights.voided,
      arbitrary: fc.record({ ...one, type: fc.constant('FactVoided' as const), voids, reason }),
    },
  );
}

export const facts = factsWith(fc.nat({ max: 40 }).map(String), { registered: 5, voided: 3 });

/** A void names one of the facts of its cluster before it, as the ledger sees to. */
function withTargets(recorded: readonly Fact[]): Fact[] {
  return recorded.map((fact, i): Fact => {
    if (fact.type !== 'FactVoided') return fact;
    const before = recorded.slice(0, i);
    const targets = before.flatMap((target, n) =>
      target.type !== 'FactVoided' && target.clusterId === fact.clusterId ? [n] : [],
    );
    const target = targets[Number(fact.voids) % targets.length];
    if (target !== undefined) return { ...fact, voids: idAt(target + 1) };
    return { type: 'ClusterReachable', clusterId: fact.clusterId, effectiveAt: fact.effectiveAt };
  });
}

/** A log, and closes of three periods at places in it. */
export const logs = fc
  .tuple(
    fc.array(facts, { minLength: 1, maxLength: 30, size: 'max' }),
    fc.array(fc.nat(30), { minLength: 3, maxLength: 3 }),
  )
  .map(([recorded, cuts]) => {
    const all = withTargets(recorded);
    const marks = cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b);
    const closes = PERIODS.map((period, i) => ({ period, watermark: marks[i] as number }));
    return { facts: all, closes };
  });

/** Windows with their counted end, among the instants at which something happens. */
export const windows = fc
  .tuple(fc.constantFrom(...edges), fc.constantFrom(...edges), fc.constantFrom(...edges))
  .map(([a, b, through]) => ({ window: { from: Math.min(a, b), to: Math.max(a, b) }, through }));

/** The same facts for the oracle. */
export function forOracle(facts: readonly Fact[]): OracleFact[] {
  return facts.map((fact, i) => ({
    ...fact,
    eventId: idAt(i + 1),
    position: i + 1,
    effectiveAt: BigInt(fact.effectiveAt),
  }));
}
