import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type SqliteOptions, SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';

/** Opens an empty SQLite store that is closed after the test. */
export async function sqliteStoreForTest(options: SqliteOptions = {}): Promise<SqliteStore> {
  const file = join(mkdtempSync(join(tmpdir(), 'ledger-store-')), 'ledger.db');
  const onFailed = (error: unknown) => {
    throw error;
  };
  const store = await SqliteStore.open(file, { onFailed, ...options });
  onTestFinished(() => store.close());
  return store;
}
