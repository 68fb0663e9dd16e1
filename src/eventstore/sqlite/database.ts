import { chmodSync, closeSync, mkdirSync, openSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../util/message-of.ts';
import { OTHERS } from '../../util/private-file.ts';
import { OWNER_ONLY } from '../../util/replace-file.ts';
import { StoreFailed } from '../store-errors.ts';
import { witnessFile } from './acknowledged.ts';
import { APPLICATION_ID, CREATE_FEW_STREAMS_INDEX, INCOMPLETE, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** In earlier versions two connections can corrupt the write-ahead log (sqlite.org/wal.html, "the WAL-reset bug"). */
const OLDEST_SQLITE = '3.51.3';

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
const LOCK_WAIT_MS = 1_000;

/** Advice for a file that cannot be used as it is. */
export const RESTORE =
  'keep the file with its -wal for an examination, and restore the newest backup of both; nothing was changed';

/** Returns the primary SQLite result code of an error of `node:sqlite`, or `undefined` for any other error. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Returns whether the disk is full. SQLite then rolls back cleanly; after any other failure the content of the disk is unknown. */
export function isFull(error: unknown): boolean {
  return resultCode(error) === SQLITE_FULL;
}

/** Returns the integer that a query selects. */
export function integer(db: DatabaseSync, sql: string): number {
  return Object.values(db.prepare(sql).get() ?? {})[0] as number;
}

/** Returns whether another connection holds a lock. Nothing was written. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** Returns the canonical path of a file that may not exist yet, so that all paths to one file have the same lock. */
export function canonicalPath(file: string): string {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return statusOf(path) === undefined
    ? join(realpathSync(dirname(path)), basename(path))
    : realpathSync(path);
}

/** Returns the status of a file, `undefined` if it does not exist. */
export function statusOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/**
 * Locks the file for this process by an exclusive transaction on a second file beside it. The operating system releases the
 * lock when the process ends, in whatever way it ends.
 * @throws StoreFailed if another process, or this one, has locked the file, or the file has a second name.
 */
export function lockFile(path: string): DatabaseSync {
  const names = statusOf(path)?.nlink ?? 1;
  if (names > 1)
    throw new StoreFailed(
      `${path} has ${names} names (hard links), and a second ledger could write it by another one; remove the others, or copy the file`,
    );
  protect(path);
  createPrivate(`${path}.lock`);
  const lock = new DatabaseSync(`${path}.lock`, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new StoreFailed(`${path} is in use by another ledger; only one process can open it`);
  }
}

/** Makes the files of a store private to their owner, who is billing his customers with them. */
function protect(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}.lock`, witnessFile(path)]) {
    const mode = statusOf(file)?.mode ?? 0;
    if ((mode & OTHERS) === 0) continue;
    try {
      chmodSync(file, mode & ~OTHERS & 0o777);
    } catch (error) {
      // A file of another user: that user decides who may read it.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    }
  }
}

/** Creates an empty file that only its owner can read, if it is absent. SQLite gives the files beside it the same permissions. */
export function createPrivate(path: string): void {
  // Closing a file releases all locks that this process has on it, so a file that exists is not opened.
  if (statusOf(path) === undefined) closeSync(openSync(path, 'a', OWNER_ONLY));
}

/**
 * Opens the file for the writer, with settings under which an acknowledged commit survives a power failure, and takes its
 * write lock.
 * @throws StoreFailed if the file is not a ledger, has an unknown schema version, is locked, or cannot be written durably.
 */
export function openForWriting(path: string): DatabaseSync {
  createPrivate(path);
  const db = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
  try {
    checkVersion(db);
    const isNew = identify(db, path) === 'empty';
    // Created before the file has a write-ahead log, so that the file alone is never empty.
    if (isNew) db.exec(`PRAGMA synchronous = FULL; BEGIN; ${SCHEMA} COMMIT`);
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0',
    );
    if (integer(db, 'PRAGMA synchronous') !== 2)
      throw new StoreFailed(`${path}: synchronous=FULL could not be set`);
    const mode = journalMode(db);
    if (mode !== 'wal') throw new StoreFailed(`${path}: journal_mode is ${mode}, not wal`);
    if (!isNew) addIndex(db);
    return db;
  } catch (error) {
    db.close();
    throw explained(error, path);
  }
}

/** Adds the index to a file of a former release. It is added at a later start if the disk is full, or another program writes. */
function addIndex(db: DatabaseSync): void {
  try {
    db.exec(CREATE_FEW_STREAMS_INDEX);
  } catch (error) {
    if (!isFull(error) && !isBusy(error)) throw error;
  }
}

export function journalMode(db: DatabaseSync): string {
  return String(Object.values(db.prepare('PRAGMA journal_mode').get() ?? {})[0]);
}

/** Rolls back the creation of a file whose process was killed meanwhile, since a reader could not. */
export function rollBackCreation(path: string): void {
  if ((statusOf(`${path}-journal`)?.size ?? 0) === 0) return;
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    db.exec('PRAGMA schema_version');
  } catch (error) {
    throw explained(error, path);
  } finally {
    db.close();
  }
}

/** Opens the file for reading. @throws StoreFailed if it is not a ledger or has an unknown schema version. */
export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    checkVersion(db);
    identify(db, path);
    return db;
  } catch (error) {
    db.close();
    throw explained(error, path);
  }
}

/**
 * Copies the write-ahead log into the file, and marks the file as not complete without the write-ahead log that follows. Not
 * within a transaction.
 * @returns whether the mark was removed again in the write-ahead log; if not, the next transaction must do so.
 */
export function checkpoint(db: DatabaseSync): boolean {
  try {
    db.exec(`PRAGMA user_version = ${INCOMPLETE}; PRAGMA wal_checkpoint(PASSIVE); ${COMPLETE}`);
    return true;
  } catch (error) {
    if (!isFull(error) && !isBusy(error)) throw error;
    return false;
  }
}

/** Marks the file with its write-ahead log as complete. */
export const COMPLETE = `PRAGMA user_version = ${SCHEMA_VERSION};`;

export function locked(path: string): StoreFailed {
  return new StoreFailed(
    `another program holds a lock on ${path}, such as sqlite3 in a transaction or a second ledger: end it and start again`,
  );
}

/** Returns an error that says what to do, if the cause is known. */
export function explained(error: unknown, path: string): unknown {
  switch (resultCode(error)) {
    case SQLITE_NOTADB:
      return new StoreFailed(`${path} is not an SQLite file`, { cause: error });
    case SQLITE_CORRUPT:
      return new StoreFailed(`${path} is damaged (${messageOf(error)}): ${RESTORE}`, { cause: error });
    case SQLITE_BUSY:
      return locked(path);
    default:
      return error;
  }
}

function checkVersion(db: DatabaseSync): void {
  const version = Object.values(db.prepare('SELECT sqlite_version()').get() ?? {})[0] as string;
  const [actual, oldest] = [version, OLDEST_SQLITE].map((text) =>
    text.split('.').reduce((sum, part) => sum * 1_000 + Number(part), 0),
  ) as [number, number];
  if (actual < oldest)
    throw new StoreFailed(`SQLite ${version} is older than ${OLDEST_SQLITE}: use a newer Node.js`);
}

/** Returns whether a file has no tables, and no sign of an application. */
export function isEmpty(db: DatabaseSync): boolean {
  return (
    integer(db, 'PRAGMA application_id') === 0 && integer(db, 'SELECT count(*) FROM sqlite_schema') === 0
  );
}

/** Checks, before any change, that a file is new or a ledger, since it may belong to another application. */
function identify(db: DatabaseSync, path: string): 'empty' | 'ledger' {
  if (isEmpty(db)) return 'empty';
  const applicationId = integer(db, 'PRAGMA application_id');
  if (applicationId !== APPLICATION_ID)
    throw new StoreFailed(`${path} is an SQLite file of another application`);
  const version = integer(db, 'PRAGMA user_version');
  if (version !== SCHEMA_VERSION && version !== INCOMPLETE)
    throw new StoreFailed(
      `${path} has schema version ${version}; this release knows ${SCHEMA_VERSION}: use a newer release`,
    );
  return 'ledger';
}
