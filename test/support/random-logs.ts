import fc from 'fast-check';
import { CAUSES, type Fact } from '../../src/domain/facts/fact.ts';
import type { OracleFact } from '../oracle/oracle.ts';
import { idAt } from './models.ts';
import { oracleFact, randomFacts } from './random-facts.ts';

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

export const effectiveAt = fc.oneof(
  fc.constantFrom(...edges),
  fc.integer({ min: edges[0] as number, max: edges.at(-1) as number }),
);

/** Returns facts of four clusters and two accounts. @param voids the ids that voids name. */
export function factsWith(
  voids: fc.Arbitrary<string>,
  weights: { readonly registered: number; readonly voided: number },
): fc.Arbitrary<Fact> {
  return randomFacts({
    clusterId: fc.constantFrom('c0', 'c1', 'c2', 'c3'),
    effectiveAt,
    ownerOf: () => fc.constantFrom('acme', 'acme', 'globex'),
    newOwner: fc.constantFrom('acme', 'globex'),
    cause: fc.constantFrom(...CAUSES, 'deleted' as const),
    observation: fc.constant('ClusterReachable'),
    voids,
    weights: { changed: 3, deleted: 2, switched: 5, observed: 1, ...weights },
  });
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

/** Returns the same facts as the oracle takes them. */
export function forOracle(facts: readonly Fact[]): OracleFact[] {
  return facts.map((fact, i) => oracleFact(fact, idAt(i + 1), i + 1));
}
