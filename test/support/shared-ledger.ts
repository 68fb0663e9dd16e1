import { afterAll, beforeAll } from 'vitest';
import { type LedgerOptions, openLedger, type TestLedger } from './ledger.ts';

/** One ledger for all tests of a file, filled once. Tests that write use clusters of their own. */
export function sharedLedger(
  fill: (ledger: TestLedger) => Promise<unknown> = async () => {},
  options: LedgerOptions = {},
): () => TestLedger {
  let ledger: Awaited<ReturnType<typeof openLedger>>;
  beforeAll(async () => {
    ledger = await openLedger(options);
    await fill(ledger);
  });
  afterAll(() => ledger.discard());
  return () => ledger;
}
