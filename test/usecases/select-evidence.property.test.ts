import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Leaf, readFact } from '../../src/audit/verify/billing-fact.ts';
import { Book, type ClosedPeriod } from '../../src/audit/verify/book.ts';
import { monthOf } from '../../src/audit/verify/months.ts';
import { serializeClosing } from '../../src/domain/billing/period.ts';
import type { Fact } from '../../src/domain/facts/fact.ts';
import { serializeFact } from '../../src/domain/facts/recorded-fact.ts';
import { periodStream } from '../../src/domain/stream-table.ts';
import type { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { selectEvidence } from '../../src/usecases/select-evidence.ts';
import { idAt, modelOf } from '../support/models.ts';
import { logs, PERIODS } from '../support/random-logs.ts';

/** The facts of an evidence file are enough for the verifier, which computes the figure from nothing else. */

const ACCOUNTS = ['acme', 'globex'] as const;
const OPEN = '2026-04';

/** The facts, and after them the closings. */
function closedModel(facts: readonly Fact[], closes: readonly ClosedPeriod[]): LedgerModel {
  const model = modelOf(facts);
  for (const { period, watermark } of closes) {
    const position = model.position + 1;
    const totals = { billableClusters: 0, clusterSeconds: '0.000' };
    model.apply({
      ...serializeClosing({ period, watermark, accounts: 0, totals, statementsDigest: '', rules: 2 }),
      id: idAt(position),
      metadata: { source: 'test', actor: 'test' },
      recordedAt: position,
      stream: periodStream(period),
      revision: 0,
      position,
    });
  }
  return model;
}

/** The book of a verifier that has only some facts. */
function bookOf(facts: readonly Fact[], positions: readonly number[]): Book {
  const book = new Book();
  for (const position of positions) {
    const fact = facts[position - 1] as Fact;
    const { type, data } = serializeFact(fact, { source: 'test', id: 'x', actor: 'test' });
    book.add(readFact(position, fact.clusterId, { id: idAt(position), type, data } as unknown as Leaf));
  }
  return book;
}

describe.each([
  { isMinimal: false, reader: 'an auditor' },
  { isMinimal: true, reader: 'a customer' },
])('the facts that $reader gets', ({ isMinimal }) => {
  test('give the statement of each closed period and the usage of the open one', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ facts, closes }) => {
        const model = closedModel(facts, closes);
        const size = model.position;
        for (const accountId of ACCOUNTS.filter((account) => model.accounts.find(account) !== undefined)) {
          for (const period of [...PERIODS, OPEN]) {
            const now = monthOf(OPEN)[1];
            const selection = await selectEvidence(model, accountId, period, { size, now, isMinimal });
            if (selection.outcome !== 'selected') throw new Error(selection.outcome);
            const { figure, clusters } = selection;
            const positions = clusters.flatMap((cluster) => cluster.positions).sort((a, b) => a - b);
            const book = bookOf(facts, positions);
            const place = closes.findIndex((close) => close.period === period);
            const statements = closes.slice(0, place + 1).map((close) => book.close(close, accountId));
            if (figure.kind === 'usage')
              expect(figure.usage).toMatchObject(book.usage(accountId, ...monthOf(OPEN), size));
            else expect(statements.at(-1)).toEqual(figure.kind === 'statement' ? [figure.statement] : []);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
