import { realpathSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreFailed } from '../store-errors.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** Before this version two connections could corrupt a write-ahead log (sqlite.org/wal.html, "the WAL-reset bug"). */
const OLDEST_SQLITE = '3.51.3';

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
const LOCK_WAIT_MS = 1_000;

/** The primary SQLite result code of an error of `node:sqlite`; `undefined` for any other error. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Whether the disk is full, which SQLite undoes cleanly; every other failure leaves it unknown what is on the disk. */
export function isFull(error: unknown): boolean {
  return resultCode(error) === SQLITE_FULL;
}

export function integer(db: DatabaseSync, sql: string): number {
  return Object.values(db.prepare(sql).get() ?? {})[0] as number;
}

/** The one true path of a file, whether or not it exists: two paths to one file must meet at one lock. */
export async function canonicalPath(file: string): Promise<string> {
  const path = resolve(file);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? join(realpathSync(dirname(path)), basename(path)) : realpathSync(path);
}

/**
 * Takes the file for this process alone: an exclusive transaction on a file beside it, which the system ends with the
 * process, however it ends.
 * @throws StoreFailed where another process, or this one, has it.
 */
export function lockFile(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (resultCode(error) !== SQLITE_BUSY) throw error;
    throw new StoreFailed(`${path} is in use by another ledger; a ledger has its file for itself`);
  }
}

/**
 * Opens the file for the one writer, durable: an acknowledged commit survives a power cut.
 * @throws StoreFailed where the file is none of ours, is newer than this release, or cannot be made durable.
 */
export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
  try {
    checkVersion(db);
    const isNew = isEmptyOrOurs(db, path) === 'empty';
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
    if (resultCode(error) === SQLITE_NOTADB) throw new StoreFailed(`${path} is no SQLite file`);
    throw error;
  }
}

function checkVersion(db: DatabaseSync): void {
  const version = Object.values(db.prepare('SELECT sqlite_version()').get() ?? {})[0] as string;
  const [found, oldest] = [version, OLDEST_SQLITE].map((text) =>
    text.split('.').reduce((sum, part) => sum * 1_000 + Number(part), 0),
  ) as [number, number];
  if (found < oldest)
    throw new StoreFailed(`SQLite ${version} is older than ${OLDEST_SQLITE}: use a newer Node.js`);
}

/** Looked at before anything is changed: the file may be somebody else's. */
function isEmptyOrOurs(db: DatabaseSync, path: string): 'empty' | 'ours' {
  const applicationId = integer(db, 'PRAGMA application_id');
  if (applicationId === 0 && integer(db, 'SELECT count(*) FROM sqlite_schema') === 0) return 'empty';
  if (applicationId !== APPLICATION_ID)
    throw new StoreFailed(`${path} is an SQLite file of another application`);
  const version = integer(db, 'PRAGMA user_version');
  if (version !== SCHEMA_VERSION) {
    throw new StoreFailed(`${path} has schema version ${version}; this release knows ${SCHEMA_VERSION}`);
  }
  return 'ours';
}
