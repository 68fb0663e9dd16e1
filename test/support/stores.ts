import { inject } from 'vitest';
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
