import { eventStoreDbUrl } from './environment.ts';

/** A store that a whole ledger can be tested on. */
export interface StoreUnderTest {
  readonly name: string;
  /** What `LEDGER_STORE` is set to: `sqlite:` for a file in the data folder, or an `esdb://` connection string. */
  readonly connection: string;
}

export const sqlite: StoreUnderTest = { name: 'SQLite', connection: 'sqlite:' };

/** The stores that the end-to-end suites run on. */
export const stores: readonly StoreUnderTest[] =
  eventStoreDbUrl === undefined ? [sqlite] : [sqlite, { name: 'EventStoreDB', connection: eventStoreDbUrl }];
