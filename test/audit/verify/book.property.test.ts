import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Leaf, readFact } from '../../../src/audit/verify/billing-fact.ts';
import { Book, monthOf } from '../../../src/audit/verify/book.ts';
import { FACT_TYPES, type Fact } from '../../../src/domain/facts/fact.ts';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { accountUsage } from '../../../src/projections/queries/account-usage.ts';
import { statementsOf } from '../../../src/projections/queries/period-statements.ts';
import { type GoldenFact, goldenFacts, idAt, modelOf } from '../../support/models.ts';
import { effectiveAt, factsWith, PERIODS } from '../../support/random-logs.ts';

/** Billing as the verifier works it out is what the ledger makes of the same facts, to the last byte. */

/** Voids name any fact, also of another cluster or one that is still to come. */
const voids = fc.nat({ max: 40 }).map((n) => idAt(n + 1));
const facts = factsWith(voids, { registered: 6, voided: 5 });
const logs = fc
  .tuple(
    fc.array(facts, { minLength: 1, maxLength: 30, size: 'max' }),
    fc.array(fc.nat(30), { minLength: 3, maxLength: 3 }),
  )
  .map(([recorded, cuts]) => {
    // A void of a void is never recorded.
    const all = recorded.map((fact): Fact => {
      const target = fact.type === 'FactVoided' ? recorded[Number(fact.voids.slice(-12)) - 1] : undefined;
      if (target?.type !== 'FactVoided') return fact;
      return { type: 'ClusterReachable', clusterId: fact.clusterId, effectiveAt: fact.effectiveAt };
    });
    const marks = cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b);
    return { facts: all, closes: PERIODS.map((period, i) => ({ period, watermark: marks[i] as number })) };
  });

function bookOf(recorded: readonly Fact[]): Book {
  const book = new Book();
  for (const [i, fact] of recorded.entries()) {
    const { type, data } = serializeFact(fact, { source: 'test', id: 'x', actor: 'test' });
    const leaf = { id: idAt(i + 1), type, data } as unknown as Leaf;
    book.add(readFact(i + 1, fact.clusterId, leaf));
  }
  return book;
}

test('the statements of three periods are those of the ledger, whoever is asked about', () => {
  fc.assert(
    fc.property(logs, ({ facts, closes }) => {
      const model = modelOf(facts);
      const [all, acme] = [bookOf(facts), bookOf(facts)];
      for (const [i, close] of closes.entries()) {
        const expected = [...statementsOf(model, { ...close, earlier: closes.slice(0, i) })];
        expect(all.close(close)).toEqual(expected);
        expect(acme.close(close, 'acme')).toEqual(expected.filter(({ accountId }) => accountId === 'acme'));
      }
    }),
    { numRuns: 3_000 },
  );
});

test('the usage up to any instant, as known at any position, is that of the ledger', () => {
  fc.assert(
    fc.property(logs, effectiveAt, fc.nat(30), ({ facts }, through, cut) => {
      const [from, end] = monthOf('2026-02');
      const asOf = Math.min(cut, facts.length);
      const window = { from, to: end };
      const { usage } = accountUsage(modelOf(facts), 'acme', { window, through, asOf, byDay: false });
      const to = Math.max(from, Math.min(end, through));
      expect(bookOf(facts).usage('acme', from, to, asOf)).toEqual(usage);
    }),
    { numRuns: 1_000 },
  );
});

test.each(FACT_TYPES)('a %s is known to the verifier', (type) => {
  const data = {
    clusterId: 'c1',
    effectiveAt: '2026-01-01T00:00:00.000Z',
    accountId: 'acme',
    billable: true,
    cause: 'manual',
    voids: idAt(1),
  };
  const leaf = { id: idAt(1), type, data } as unknown as Leaf;
  expect(readFact(1, 'c1', leaf)).toMatchObject({ position: 1, at: Date.parse('2026-01-01') });
});

interface GoldenCase {
  readonly name: string;
  readonly period: string;
  readonly through?: string;
  readonly facts: readonly GoldenFact[];
  readonly closes?: readonly { period: string; watermark: number }[];
  readonly expect: {
    readonly accounts: Readonly<Record<string, object>>;
    readonly statements?: Readonly<Record<string, Record<string, object>>>;
  };
}
const file = new URL('../../golden/billing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenCase[] };

describe.each(cases)('$name', ({ facts, period, through, closes = [], expect: expected }) => {
  test('is used and stated as it was worked out by hand', () => {
    const book = bookOf(goldenFacts(facts));
    const [from, end] = monthOf(period);
    const to = through === undefined ? end : Math.max(from, Math.min(end, Date.parse(through)));
    for (const [accountId, usage] of Object.entries(expected.accounts))
      expect(book.usage(accountId, from, to, facts.length)).toEqual(usage);
    for (const close of closes) {
      const figures = book
        .close(close)
        .map(({ accountId, usage, adjustments, total }) => [
          accountId,
          { usage, adjustments: adjustments.map(({ period, delta }) => ({ period, ...delta })), total },
        ]);
      expect(Object.fromEntries(figures)).toEqual(expected.statements?.[close.period]);
    }
  });
});
