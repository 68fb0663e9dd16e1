import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/audit/canonical-json.ts';
import { type Leaf, readFact } from '../../../src/audit/verify/billing-fact.ts';
import { Book } from '../../../src/audit/verify/book.ts';
import { monthOf } from '../../../src/audit/verify/months.ts';
import { canonicalStatement } from '../../../src/domain/billing/statement.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { statementsOf } from '../../../src/projections/queries/period-statements.ts';
import { statementsAt, usageAt, usageByTypeAt } from '../../oracle/oracle.ts';
import { applyTo, begin, idAt } from '../../support/models.ts';
import { effectiveAt, factsWith, forOracle, logs, PERIODS } from '../../support/random-logs.ts';

/** The second computation of billing equals the oracle and, with the causes of adjustments, the ledger. */

/** The parts of a log of which a book is kept. */
interface Log {
  readonly facts: readonly Fact[];
  /** Whether the first event of the log says where statements begin; then the first fact has position 2. */
  readonly hasBegun: boolean;
}

const logOf = (facts: readonly Fact[]): Log => ({ facts, hasBegun: false });

function bookOf({ facts, hasBegun }: Log): Book {
  const book = new Book();
  if (hasBegun) book.begin(1);
  for (const [i, fact] of facts.entries()) {
    const position = i + (hasBegun ? 2 : 1);
    const { type, data } = serializeFact(fact, { source: 'test', id: 'x', actor: 'test' });
    book.add(readFact(position, fact.clusterId, { id: idAt(position), type, data } as unknown as Leaf));
  }
  return book;
}

function modelOf({ facts, hasBegun }: Log): LedgerModel {
  const model = new LedgerModel();
  if (hasBegun) begin(model, PERIODS[0]);
  for (const fact of facts) applyTo(model, fact);
  return model;
}

function oracleOf({ facts, hasBegun }: Log) {
  const first = hasBegun ? 2 : 1;
  return forOracle(facts).map((fact, i) => ({ ...fact, eventId: idAt(i + first), position: i + first }));
}

/** The same log after an event with which statements begin. */
function begun({ facts, closes }: { facts: readonly Fact[]; closes: readonly Close[] }) {
  const moved = facts.map((fact) =>
    fact.type === 'FactVoided' ? { ...fact, voids: idAt(Number(fact.voids.slice(-12)) + 1) } : fact,
  );
  return {
    log: { facts: moved, hasBegun: true },
    closes: closes.map(({ period, watermark }) => ({ period, watermark: watermark + 1 })),
  };
}

interface Close {
  readonly period: string;
  readonly watermark: number;
}

const FEW = ['2025-12-20', '2026-01-01', '2026-01-15', '2026-02-10', '2026-03-01'].map((day) =>
  Date.parse(day),
);

/** The same log with two clusters and few instants, so that facts often meet at one. */
function crowded(facts: readonly Fact[]): Fact[] {
  return facts.map((fact) => ({
    ...fact,
    clusterId: fact.clusterId === 'c0' || fact.clusterId === 'c2' ? 'c0' : 'c1',
    effectiveAt: FEW[fact.effectiveAt % FEW.length] as number,
  }));
}

const histories = fc
  .tuple(logs, fc.boolean(), fc.boolean())
  .map(([{ facts, closes }, isCrowded, hasBegun]) => {
    const recorded = { facts: isCrowded ? crowded(facts) : facts, closes };
    return hasBegun ? begun(recorded) : { log: logOf(recorded.facts), closes };
  });

describe('the statements of three periods by the verifier', () => {
  test('have the figures of the oracle, with and without a beginning', () => {
    fc.assert(
      fc.property(histories, ({ log, closes }) => {
        const book = bookOf(log);
        const known = oracleOf(log);
        for (const [i, close] of closes.entries()) {
          const figures = book.close(close).map(({ statementId: _, watermark: __, ...statement }) => ({
            ...statement,
            adjustments: statement.adjustments.map(({ facts: ___, ...line }) => line),
          }));
          expect(figures).toEqual(statementsAt(known, closes.slice(0, i + 1), log.hasBegun));
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test('are the bytes of the ledger, for one account as for all', () => {
    fc.assert(
      fc.property(histories, ({ log, closes }) => {
        const model = modelOf(log);
        const [all, acme] = [bookOf(log), bookOf(log)];
        for (const [i, close] of closes.entries()) {
          const expected = [...statementsOf(model, { ...close, earlier: closes.slice(0, i) })];
          const made = all.close(close);
          expect(made).toEqual(expected);
          expect(made.map((statement) => canonicalJson(statement as never))).toEqual(
            expected.map(canonicalStatement),
          );
          const own = expected.filter(({ accountId }) => accountId === 'acme');
          expect(acme.close(close, 'acme')).toEqual(own);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test('are those of the ledger if voids name unknown facts, facts of other clusters and later facts', () => {
    const target = fc.nat({ max: 40 }).map((n) => idAt(n + 1));
    const recorded = fc.array(factsWith(target, { registered: 6, voided: 5 }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(recorded, (all) => {
        // The ledger records neither a void of a void nor a void of a later fact of another cluster.
        const facts = all.map((fact): Fact => {
          if (fact.type !== 'FactVoided') return fact;
          const place = Number(fact.voids.slice(-12)) - 1;
          const target = all[place];
          if (target?.type !== 'FactVoided') return fact;
          return { type: 'ClusterReachable', clusterId: fact.clusterId, effectiveAt: fact.effectiveAt };
        });
        const closes = PERIODS.map((period, i) => ({
          period,
          watermark: Math.ceil((facts.length * (i + 1)) / 3),
        }));
        const book = bookOf(logOf(facts));
        const model = modelOf(logOf(facts));
        for (const [i, close] of closes.entries())
          expect(book.close(close)).toEqual([
            ...statementsOf(model, { ...close, earlier: closes.slice(0, i) }),
          ]);
      }),
      { numRuns: 500 },
    );
  });
});

test('the usage up to any instant, as known at any position, is that of the oracle, whole and by type', () => {
  fc.assert(
    fc.property(histories, effectiveAt, fc.nat(30), ({ log }, through, cut) => {
      const [from, end] = monthOf('2026-02');
      const asOf = Math.min(cut, log.facts.length);
      const window = [BigInt(from), BigInt(end)] as const;
      const known = oracleOf(log);
      const to = Math.max(from, Math.min(end, through));
      const book = bookOf(log);
      for (const account of ['acme', 'globex'])
        expect(book.usage(account, from, to, asOf)).toEqual({
          usage: usageAt(known, asOf, account, window, BigInt(through)),
          byType: usageByTypeAt(known, asOf, account, window, BigInt(through)),
        });
    }),
    { numRuns: 1_000 },
  );
});

interface GoldenFact {
  /** The event id. */
  readonly id: string;
  readonly clusterId: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

interface GoldenCase {
  readonly name: string;
  readonly period: string;
  readonly through?: string;
  readonly begun?: string;
  readonly facts: readonly GoldenFact[];
  readonly closes?: readonly Close[];
  readonly expect: {
    readonly accounts: Readonly<Record<string, object>>;
    readonly byType?: Readonly<Record<string, readonly object[]>>;
    readonly statements?: Readonly<Record<string, Record<string, object>>>;
  };
}
const file = new URL('../../golden/billing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenCase[] };

/** The book of a golden case. Its positions count facts only, so a beginning has position 0. */
function goldenBook({ facts, begun }: GoldenCase): Book {
  const book = new Book();
  if (begun !== undefined) book.begin(0);
  for (const [i, { id, type, ...data }] of facts.entries()) {
    const recordedAs = type === 'ClusterRegistered' ? 'ClusterRegistered.v2' : type;
    book.add(readFact(i + 1, data.clusterId, { id, type: recordedAs, data } as unknown as Leaf));
  }
  return book;
}

test('all golden cases of version 2 of the rules are present', () => {
  expect(cases).toHaveLength(33);
});

test.each(cases)('the verifier computes the usage of the golden case: $name', (golden) => {
  const { period, through, facts, expect: expected } = golden;
  const book = goldenBook(golden);
  const [from, end] = monthOf(period);
  const to = through === undefined ? end : Math.max(from, Math.min(end, Date.parse(through)));
  for (const [accountId, usage] of Object.entries(expected.accounts)) {
    const breakdown = book.usage(accountId, from, to, facts.length);
    expect(breakdown.usage).toEqual(usage);
    if (expected.byType !== undefined) expect(breakdown.byType).toEqual(expected.byType[accountId]);
  }
});

test.each(cases.filter(({ closes }) => closes !== undefined))(
  'the verifier computes the statements of the golden case: $name',
  (golden) => {
    const book = goldenBook(golden);
    for (const close of golden.closes ?? []) {
      const figures = book
        .close(close)
        .map(({ accountId, usage, adjustments, total: { byType: _, ...total } }) => [
          accountId,
          { usage, adjustments: adjustments.map(({ period, delta }) => ({ period, ...delta })), total },
        ]);
      expect(Object.fromEntries(figures)).toEqual(golden.expect.statements?.[close.period]);
    }
  },
);
