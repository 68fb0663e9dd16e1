import { inject } from 'vitest';
import type { Timings } from '../../src/eventstore/esdb/timings.ts';
import { eventStoreDbUrl } from './environment.ts';

/** A store that a whole ledger can be tested on. */
export interface StoreUnderTest {
  readonly name: string;
  /** Value of `LEDGER_STORE`: `sqlite:` for a file in the data folder, or an `esdb://` connection string. */
  readonly connection: string;
}

export const sqlite: StoreUnderTest = { name: 'SQLite', connection: 'sqlite:' };
export const double: StoreUnderTest = { name: 'a double of EventStoreDB', connection: inject('doubleUrl') };

/** The stores that the end-to-end suites run on. */
export const stores: readonly StoreUnderTest[] = [
  sqlite,
  double,
  ...(eventStoreDbUrl === undefined ? [] : [{ name: 'EventStoreDB', connection: eventStoreDbUrl }]),
];

/**
 * A busy machine may stop a process for seconds, and a test that is not about outages must not see one. Shorter than a test may last,
 * so that one that waits in vain says for what.
 */
const PATIENT_MS = 45_000;
export const PATIENT: Timings = {
  appendMs: PATIENT_MS,
  readMs: PATIENT_MS,
  confirmMs: PATIENT_MS,
  silenceMs: PATIENT_MS,
  outageMs: PATIENT_MS,
};
