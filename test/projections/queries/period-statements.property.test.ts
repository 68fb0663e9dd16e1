import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmountSum } from '../../../src/domain/billing/quantity.ts';
import { canonicalStatement } from '../../../src/domain/billing/statement.ts';
import { periodWindow } from '../../../src/domain/time.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { statementsOf } from '../../../src/projections/queries/period-statements.ts';
import { statementsAt } from '../../oracle/oracle.ts';
import { modelOf } from '../../support/models.ts';
import { forOracle, logs } from '../../support/random-logs.ts';

/** Laws of statements, tried on logs of a few clusters of which much is recorded late. */

type Closes = readonly { period: string; watermark: number }[];

const statements = (model: LedgerModel, closes: Closes, i: number) => [
  ...statementsOf(model, { ...(closes[i] as Closes[number]), earlier: closes.slice(0, i) }),
];
const tried = { numRuns: 1_000 };

describe('the statements of three periods', () => {
  test('are canonical JSON by RFC 8785, whatever the ids of their accounts', () => {
    fc.assert(
      fc.property(logs, fc.string({ unit: 'grapheme' }), ({ facts, closes }, name) => {
        const named = facts.map((fact) => ('accountId' in fact ? { ...fact, accountId: name } : fact));
        for (const log of [facts, named]) {
          for (const i of closes.keys())
            for (const statement of statements(modelOf(log), closes, i))
              expect(canonicalStatement(statement)).toBe(canonicalize(statement));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('conserve usage: the totals up to each one add up to the usage as known then', () => {
    fc.assert(
      fc.property(logs, ({ facts, closes }) => {
        const model = modelOf(facts);
        const charged = new Map<string, AmountSum>();
        for (const [i, { watermark }] of closes.entries()) {
          for (const { accountId, total } of statements(model, closes, i)) {
            charged.set(accountId, (charged.get(accountId) ?? new AmountSum()).add(total));
          }
          for (const [account, accountId] of model.accounts.texts.entries()) {
            const used = new AmountSum();
            for (const period of ['2025-12', ...closes.slice(0, i + 1).map((close) => close.period)])
              used.add(model.usage(account, watermark, periodWindow(period)).usage);
            // A ledger closes the earliest billed period first. Here it may not be the first, so what was known then is left out.
            used.subtract(model.usage(account, closes[0]?.watermark ?? 0, periodWindow('2025-12')).usage);
            expect((charged.get(accountId) ?? new AmountSum()).total).toMatchObject(used.total);
          }
        }
      }),
      tried,
    );
  });

  test('have the same bytes whatever is recorded later', () => {
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

  test('equal the oracle, for one account and for all', () => {
    fc.assert(
      fc.property(logs, ({ facts, closes }) => {
        const model = modelOf(facts);
        const known = forOracle(facts);
        for (const i of closes.keys()) {
          const all = statements(model, closes, i);
          const figures = all.map(({ watermark: _, statementId: ___, adjustments, ...rest }) => ({
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
