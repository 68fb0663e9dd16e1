import { realpathSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreFailed } from '../store-errors.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** In earlier versions two connections can corrupt the write-ahead log (sqlite.org/wal.html, "the WAL-reset bug"). */
const OLDEST_SQLITE = '3.51.3';

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
const LOCK_WAIT_MS = 1_000;

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

/** Returns the canonical path of a file that may not exist yet, so that all paths to one file have the same lock. */
export async function canonicalPath(file: string): Promise<string> {
  const path = resolve(file);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const existing = await stat(path).catch(() => undefined);
  return existing === undefined ? join(realpathSync(dirname(path)), basename(path)) : realpathSync(path);
}

/**
 * Locks the file for this process by an exclusive transaction on a second file beside it. The operating system releases the
 * lock when the process ends, in whatever way it ends.
 * @throws StoreFailed if another process, or this one, has locked the file.
 */
export function lockFile(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (resultCode(error) !== SQLITE_BUSY) throw error;
    throw new StoreFailed(`${path} is in use by another ledger; only one process can open it`);
  }
}

/**
 * Opens the file for the writer, with settings under which an acknowledged commit survives a power failure.
 * @throws StoreFailed if the file is not a ledger, has an unknown schema version, or cannot be written durably.
 */
export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
  try {
    checkVersion(db);
    const isNew = identify(db, path) === 'empty';
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0',
    );
    if (integer(db, 'PRAGMA synchronous') !== 2)
      throw new StoreFailed(`${path}: synchronous=FULL could not be set`);
    const mode = Object.values(db.prepare('PRAGMA journal_mode').get() ?? {})[0];
    if (mode !== 'wal') throw new StoreFailed(`${path}: journal_mode is ${String(mode)}, not wal`);
    if (isNew) db.exec(`BEGIN; ${SCHEMA} COMMIT`);
    return db;
  } catch (error) {
    db.close();
    if (resultCode(error) === SQLITE_NOTADB) throw new StoreFailed(`${path} is not an SQLite file`);
    throw error;
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

/** Checks, before any change, that a file is new or a ledger, since it may belong to another application. */
function identify(db: DatabaseSync, path: string): 'empty' | 'ledger' {
  const applicationId = integer(db, 'PRAGMA application_id');
  if (applicationId === 0 && integer(db, 'SELECT count(*) FROM sqlite_schema') === 0) return 'empty';
  if (applicationId !== APPLICATION_ID)
    throw new StoreFailed(`${path} is an SQLite file of another application`);
  const version = integer(db, 'PRAGMA user_version');
  if (version !== SCHEMA_VERSION) {
    throw new StoreFailed(`${path} has schema version ${version}; this release knows ${SCHEMA_VERSION}`);
  }
  return 'ledger';
}
