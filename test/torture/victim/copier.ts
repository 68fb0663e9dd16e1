/**
 * Backs up or restores the store of a folder in a process that is made to be killed, as `cluster-ledger store backup` and
 * `store restore --replace` do. Prints `done` at the end. Its argument is a `CopierOptions` as JSON.
 */

import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { backUpStore, verifyBackup } from '../../../src/usecases/back-up-store.ts';
import { restoreFile } from '../../../src/usecases/restore-store.ts';
import { print } from './promises.ts';

export interface CopierOptions {
  /** Folder of the ledger. */
  readonly folder: string;
  readonly action: 'backup' | 'restore';
  /** File of the backup. */
  readonly backup: string;
}

const { folder, action, backup } = JSON.parse(process.argv[2] ?? '{}') as CopierOptions;
const file = join(folder, 'ledger.db');

// A killed process could not keep what it has compiled for the next one.
flushCompileCache();
print({ copying: backup });
if (action === 'restore') await restoreFile(backup, file, { replace: true, now: Date.now });
// A file with the name of a backup is whole, also if the process that made it was killed after that.
else if (existsSync(backup)) await verifyBackup(backup);
else await backUpStore({ kind: 'file', file }, backup);
print({ done: true });
