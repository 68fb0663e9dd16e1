import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { describeStore } from './contract.ts';

describeStore('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-ledger-'));
  let store: SqliteStore | undefined;
  return {
    async open() {
      // The file can be opened once, so every `open` returns the same store.
      if (store?.isClosed === false) return store;
      store = await SqliteStore.open(join(folder, 'ledger.db'));
      return store;
    },
    remove: () => rm(folder, { recursive: true }),
  };
});
