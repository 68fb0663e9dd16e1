import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { StoreFailed } from '../store-errors.ts';
import { readAcknowledged } from './acknowledged.ts';
import { canonicalPath, createPrivate, explained, isEmpty, openForReading, statusOf } from './database.ts';
import { lossBy, readNewest, withoutWal } from './find-loss.ts';
import { INCOMPLETE, SCHEMA_VERSION } from './schema.ts';

/** Pages that are copied at once. */
const PAGES = 4_096;

/**
 * Copies the file of a store, also while a ledger writes to it. The copy has all events that were committed before the call, and
 * is one file that needs no other. It is on the disk when the promise resolves.
 * @param target a file that is replaced.
 * @throws StoreFailed if the file is not a ledger, is empty, or lacks acknowledged events.
 */
export async function backUpFile(
  file: string,
  target: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<void> {
  const path = canonicalPath(file);
  if ((statusOf(path)?.size ?? 0) === 0) throw new StoreFailed(`${path} does not hold a ledger`);
  // Read before the file: whatever it says was committed before.
  const witness = readAcknowledged(path);
  const db = openForReading(path);
  try {
    // All pages are those of this transaction, whatever is written meanwhile.
    db.exec('BEGIN');
    requireComplete(db, path, witness);
    rmSync(target, { force: true });
    createPrivate(target);
    await backup(db, target, {
      rate: PAGES,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    });
    db.exec('COMMIT');
  } catch (error) {
    throw explained(error, path);
  } finally {
    db.close();
  }
  makeSingle(target);
}

/** @throws StoreFailed if the file lacks events that were acknowledged. */
function requireComplete(db: DatabaseSync, path: string, witness: ReturnType<typeof readAcknowledged>): void {
  if (isEmpty(db)) throw new StoreFailed(`${path} does not hold a ledger`);
  const head = Number(db.prepare('SELECT coalesce(max(position), 0) AS head FROM log').get()?.['head']);
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const hasWal = (statusOf(`${path}-wal`)?.size ?? 0) > 0;
  if (version === INCOMPLETE && !hasWal) throw new StoreFailed(withoutWal(path));
  if (witness === undefined || witness === 'damaged') return;
  const loss = lossBy(witness, { path, db, head, newest: readNewest(db, witness, head) });
  if (loss !== undefined)
    throw new StoreFailed(
      `${loss.why}; nothing was backed up: keep the files as they are, and see docs/how-to`,
    );
}

/** Makes a copy complete without a write-ahead log, and writes all of it to the disk. */
function makeSingle(target: string): void {
  const copy = new DatabaseSync(target);
  try {
    copy.exec(
      `PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA user_version = ${SCHEMA_VERSION}`,
    );
  } finally {
    copy.close();
  }
  const fd = openSync(target, 'r+');
  fsyncSync(fd);
  closeSync(fd);
}
