import { expect, test } from 'vitest';
import { Contract } from '../support/contract.ts';
import { fillLedger } from '../support/filled-ledger.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { TestValidator } from '../support/validator.ts';
import { knownOf } from '../torture/api/known.ts';
import { sendTo } from '../torture/api/send.ts';
import { tortureApi } from '../torture/api/torture-api.ts';

const BUDGET_MS = 3_000;

test('every operation answers valid and defective requests as the contract says, and never with 5xx', async () => {
  const ledger = await ledgerForTest();
  await fillLedger(ledger);
  await new TestValidator(ledger).run();
  const contract = new Contract((await ledger.get('/openapi.json')).body);
  const seed = Math.floor(Math.random() * 2 ** 30);
  const { faults, sent, requests } = await tortureApi({
    contract,
    send: (request) => sendTo(`http://127.0.0.1:${ledger.port}`, request),
    known: knownOf,
    seed,
    count: 1_000,
    budgetMs: BUDGET_MS,
  });
  expect(faults, `seed ${seed}, ${requests} requests`).toEqual([]);
  expect([...sent.keys()].sort()).toEqual(contract.operations.map(({ name }) => name).sort());
  expect((await ledger.get('/livez')).status).toBe(200);
});
