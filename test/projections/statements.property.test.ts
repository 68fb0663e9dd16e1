import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAUSES, type Fact } from '../../src/domain/fact.ts';
import { AmountSum } from '../../src/domain/quantity.ts';
import { periodWindow } from '../../src/domain/time.ts';
import { usageOf } from '../../src/domain/usage.ts';
import type { LedgerModel } from '../../src/projections/ledger-model.ts';
import { statementsOf } from '../../src/projections/statements.ts';
import { intervalsOf } from '../../src/projections/usage.ts';
import { statementsAt } from '../oracle/oracle.ts';
import { idAt, modelOf } from './logs.ts';

/** Laws of statements, tried on logs of a few clusters of which much is recorded late. */

const PERIODS = ['2026-01', '2026-02', '2026-03'] as const;
const edges = [
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

const one = {
  clusterId: fc.constantFrom('c0', 'c1', 'c2', 'c3'),
  effectiveAt: fc.oneof(
    fc.constantFrom(...edges),
    fc.integer({ min: edges[0] as number, max: edges.at(-1) as number }),
  ),
};
const reason = fc.constant('a mistake');
const facts: fc.Arbitrary<Fact> = fc.oneof(
  {
    weight: 5,
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
    weight: 3,
    arbitrary: fc.record({
      ...one,
      type: fc.constant('FactVoided' as const),
      voids: fc.nat({ max: 40 }).map(String),
      reason,
    }),
  },
);

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

const logs = fc
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
type Closes = readonly { period: string; watermark: number }[];

const statements = (model: LedgerModel, closes: Closes, i: number) => [
  ...statementsOf(model, { ...(closes[i] as Closes[number]), earlier: closes.slice(0, i) }),
];
const tried = { numRuns: 1_000 };

describe('the statements of three periods', () => {
  test('conserve: the totals up to each add up to the usage of all of them as known then', () => {
    fc.assert(
      fc.property(logs, ({ facts, closes }) => {
        const model = modelOf(facts);
        const charged = new Map<string, AmountSum>();
        for (const [i, { watermark }] of closes.entries()) {
          for (const { accountId, total } of statements(model, closes, i)) {
            charged.set(accountId, (charged.get(accountId) ?? new AmountSum()).add(total));
          }
          for (const [account, accountId] of model.accounts.texts.entries()) {
            const intervals = intervalsOf(model, account, watermark);
            const used = new AmountSum();
            for (const { period } of closes.slice(0, i + 1))
              used.add(usageOf(intervals, periodWindow(period)));
            expect((charged.get(accountId) ?? new AmountSum()).total).toEqual(used.total);
          }
        }
      }),
      tried,
    );
  });

  test('are the same bytes for ever, whatever is recorded later', () => {
    fc.assert(
      fc.property(logs, ({ facts, closes }) => {
        const later = modelOf(facts);
        for (const [i, { watermark }] of closes.entries()) {
          const then = modelOf(facts.slice(0, watermark));
          expect(JSON.stringify(statements(later, closes, i))).toBe(
            JSON.stringify(statements(then, closes, i)),
          );
        }
      }),
      tried,
    );
  });

  test('are what the oracle says, for one account as for all', () => {
    fc.assert(
      fc.property(logs, ({ facts, closes }) => {
        const model = modelOf(facts);
        const known = facts.map((fact, i) => ({
          ...fact,
          eventId: idAt(i + 1),
          position: i + 1,
          effectiveAt: BigInt(fact.effectiveAt),
        }));
        for (const i of closes.keys()) {
          const all = statements(model, closes, i);
          const figures = all.map(({ watermark: _, adjustments, ...rest }) => ({
            ...rest,
            adjustments: adjustments.map(({ facts: __, ...line }) => line),
          }));
          expect(figures).toEqual(statementsAt(known, closes.slice(0, i + 1)));
          const question = { ...(closes[i] as Closes[number]), earlier: closes.slice(0, i) };
          const singly = ['acme', 'globex'].flatMap((account) => [
            ...statementsOf(model, question, { only: account }),
          ]);
          expect(singly).toEqual(all);
          expect([...statementsOf(model, question, { behind: 'acme' })]).toEqual(
            all.filter(({ accountId }) => accountId > 'acme'),
          );
        }
      }),
      tried,
    );
  });
});
