import { expect, test } from 'vitest';
import { statementIdOf } from '../../../src/audit/verify/book-statement-id.ts';
import { statementId } from '../../../src/projections/queries/statement-id.ts';

test('the verifier computes the statement ids of the ledger', () => {
  for (let i = 0; i < 500; i++) {
    const [account, period] = [`account-${i}`, `20${10 + (i % 80)}-0${1 + (i % 9)}`];
    expect(statementIdOf(account, period)).toBe(statementId(account, period));
  }
  expect(statementIdOf('acme', '2026-01')).toMatch(/^st_[a-z2-7]{26}$/);
});
